use std::{fmt::Write as _, ops::ControlFlow};

use jarre_core::{Permission, ToolContext, ToolOutput};
use serde::Deserialize;
use serde_json::json;

use super::frame::{Frame, implement};
use crate::{
    Result, Workspace,
    permission::{glob::Glob, path::NormalPath},
    workspace::{Kind, Walked, text::printable},
};

/// The most entries that are told.
const ENTRIES: usize = 1000;
/// The most entries that are looked at.
const WALKED: usize = 200_000;

/// `list_files`: the files beneath a folder, but for what `.gitignore` files leave out.
#[derive(Clone, Debug)]
pub struct ListFiles {
    frame: Frame,
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Arguments {
    path: Option<String>,
    glob: Option<String>,
    #[serde(default)]
    all: bool,
}

impl ListFiles {
    /// Lists files of `workspace`.
    pub fn new(workspace: Workspace) -> Self {
        let properties = json!({
            "path": {"type": "string", "description": "the folder, relative to the one that you work in (default: that one)"},
            "glob": {"type": "string", "description": "only paths like this, as `src/**/*.rs`; `*` stays within a folder, `**` does not"},
            "all": {"type": "boolean", "description": "also what .gitignore leaves out (default false)"}
        });
        let description =
            "Lists files and folders beneath a folder with the sizes of files. Folders end with `/`, links are marked and not followed.";
        Self { frame: Frame::new("list_files", description, Permission::Read, &properties, &[]), workspace }
    }

    fn run(&self, arguments: &Arguments, _: &ToolContext) -> Result<ToolOutput> {
        let glob = arguments.glob.as_deref().map(Glob::new);
        let (mut out, mut paths, mut looked) = (String::new(), Vec::new(), 0);
        let walked = self.workspace.walk(arguments.path.as_deref().unwrap_or("."), arguments.all, &mut |step| {
            looked += 1;
            if paths.len() == ENTRIES || looked > WALKED {
                return ControlFlow::Break(());
            }
            if glob.as_ref().is_some_and(|glob| !glob.matches(&NormalPath::new(&step.path).parts)) {
                return ControlFlow::Continue(());
            }
            let path = printable(&step.path);
            // Writing to a string cannot fail.
            let _ = match step.found.kind {
                Kind::File => writeln!(out, "{path} ({} bytes)", step.found.size),
                Kind::Folder => writeln!(out, "{path}/"),
                Kind::Link => writeln!(out, "{path} (link)"),
                Kind::Other => writeln!(out, "{path} (no regular file)"),
            };
            paths.push(step.path.clone());
            ControlFlow::Continue(())
        })?;
        if paths.is_empty() {
            out.push_str("there are no files\n");
        }
        out.push_str(&notes(&walked, "give a `path` or a `glob` for the others"));
        Ok(ToolOutput::new(out).with_data(json!({"paths": paths, "complete": !walked.stopped && walked.unread == 0})))
    }
}

implement!(ListFiles);

/// What a walk left out, in words.
pub(super) fn notes(walked: &Walked, advice: &str) -> String {
    let mut notes = String::new();
    if walked.stopped {
        let _ = writeln!(notes, "(there is more; {advice})");
    }
    if walked.unread > 0 {
        let _ = writeln!(notes, "({} folders could not be read or lie too deep)", walked.unread);
    }
    if walked.unnamed > 0 {
        let _ = writeln!(notes, "({} names are not UTF-8 and cannot be opened)", walked.unnamed);
    }
    notes
}
