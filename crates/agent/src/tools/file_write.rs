use jarre_core::{Permission, ToolContext, ToolOutput};
use serde::Deserialize;
use serde_json::{Value, json};

use super::frame::{Frame, caller, implement};
use crate::{
    Change, Result, Workspace,
    workspace::{Diff, text::clipped},
};

/// The most characters of a diff that the model reads; programs get all of it.
const DIFF_CHARS: usize = 8000;

/// `file_write`: puts a text into a file, in the place of what was there.
///
/// [`ToolOutput::data`] has `path`, `created`, `added`, `removed`, the unified `diff`, and the BLAKE3 digests `before` and `after`.
#[derive(Clone, Debug)]
pub struct FileWrite {
    frame: Frame,
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Arguments {
    path: String,
    content: String,
}

impl FileWrite {
    /// Writes files of `workspace`.
    pub fn new(workspace: Workspace) -> Self {
        let properties = json!({
            "path": {"type": "string", "minLength": 1, "description": "the file, relative to the folder that you work in"},
            "content": {"type": "string", "description": "all of the new text"}
        });
        let description = "Creates a text file, with the folders that lead to it, or replaces all of its text. \
                           To change a part of a file, use file_edit.";
        let frame = Frame::new("file_write", description, Permission::Write, &properties, &["path", "content"]);
        Self { frame: frame.with_data(&change_schema()), workspace }
    }

    fn run(&self, arguments: &Arguments, context: &ToolContext) -> Result<ToolOutput> {
        let by = caller(&self.frame, context);
        let (change, diff) = self.workspace.write_with_diff(&arguments.path, &arguments.content, &by)?;
        let text = match (&change.before, diff.added + diff.removed) {
            (None, _) => format!("created `{}` with {} lines", change.path, arguments.content.lines().count()),
            (Some(_), 0) => format!("`{}` already had this text", change.path),
            (Some(_), _) => changed(&change, &diff),
        };
        Ok(ToolOutput::new(text).with_data(change_data(&change, &diff)))
    }
}

implement!(FileWrite);

pub(super) fn changed(change: &Change, diff: &Diff) -> String {
    format!("changed `{}`: {} lines added, {} removed\n{}", change.path, diff.added, diff.removed, clipped(&diff.text, DIFF_CHARS))
}

pub(super) fn change_data(change: &Change, diff: &Diff) -> Value {
    json!({
        "path": change.path,
        "created": change.before.is_none(),
        "added": change.added,
        "removed": change.removed,
        "before": change.before,
        "after": change.after,
        "diff": diff.text,
    })
}

pub(super) fn change_schema() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "properties": {
            "path": {"type": "string"}, "created": {"type": "boolean"}, "added": count, "removed": count,
            "before": {"type": ["string", "null"]}, "after": {"type": "string"}, "diff": {"type": "string"}
        },
        "required": ["path", "created", "added", "removed", "after", "diff"]
    })
}
