use jarre_core::{Permission, ToolContext, ToolOutput};
use serde::Deserialize;
use serde_json::json;

use super::{
    file_write::{change_data, change_schema, changed},
    frame::{Frame, caller, implement},
    splice::splice,
};
use crate::{
    Error, Result, Workspace,
    workspace::text::{has_dos_lines, to_dos_lines},
};

/// `file_edit`: exchanges one part of a file for another text.
///
/// The part has to be in the file exactly once, unless `all` are meant. Where it is nowhere as it is written, but one run of lines is the same but for
/// blanks at the ends of lines, that is taken, and said. A file whose lines end as DOS ends them keeps that. The output for programs is that of
/// [`FileWrite`](super::FileWrite).
#[derive(Clone, Debug)]
pub struct FileEdit {
    frame: Frame,
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Arguments {
    path: String,
    search: String,
    replace: String,
    #[serde(default)]
    all: bool,
}

impl FileEdit {
    /// Changes files of `workspace`.
    pub fn new(workspace: Workspace) -> Self {
        let search = "the text to be replaced, exactly as it is in the file, without line numbers; it has to be there once";
        let properties = json!({
            "path": {"type": "string", "minLength": 1, "description": "the file, relative to the folder that you work in"},
            "search": {"type": "string", "minLength": 1, "description": search},
            "replace": {"type": "string", "description": "the text in its place"},
            "all": {"type": "boolean", "description": "replace it everywhere (default false)"}
        });
        let description =
            "Replaces one part of a text file by another text and shows the difference. Read the file first and copy the part exactly.";
        let frame = Frame::new("file_edit", description, Permission::Write, &properties, &["path", "search", "replace"]);
        Self { frame: frame.with_data(&change_schema()), workspace }
    }

    fn run(&self, arguments: &Arguments, context: &ToolContext) -> Result<ToolOutput> {
        let path = &arguments.path;
        let text = self.workspace.read(path)?;
        let dos = has_dos_lines(&text);
        let ended = |text: &str| if dos { to_dos_lines(text) } else { text.to_owned() };
        let spliced = splice(&text, &ended(&arguments.search), &ended(&arguments.replace), arguments.all);
        let spliced = spliced.map_err(|reason| Error::Path { path: path.clone(), reason })?;
        if spliced.text == text {
            return Err(Error::Path { path: path.clone(), reason: "the edit changes nothing".into() });
        }
        let by = caller(&self.frame, context);
        let (change, diff) = self.workspace.write_with_diff(path, &spliced.text, &by)?;
        let mut told = changed(&change, &diff);
        if spliced.tolerant {
            told.insert_str(0, "the text was found only after blanks at the ends of lines were left aside: check the difference\n");
        }
        if spliced.times > 1 {
            told.insert_str(0, &format!("replaced {} times\n", spliced.times));
        }
        Ok(ToolOutput::new(told).with_data(change_data(&change, &diff)))
    }
}

implement!(FileEdit);
