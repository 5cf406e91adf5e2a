use std::{fmt::Write as _, ops::ControlFlow};

use jarre_core::{Permission, ToolOutput};
use jarre_sandbox::Cancel;
use serde::Deserialize;
use serde_json::json;

use super::{
    frame::{Frame, or_told},
    offload::{implement_offloaded, or_cancelled},
};
use crate::{
    Result, Workspace,
    permission::{glob::Glob, path::NormalPath},
    workspace::{Kind, Walked, text::printable},
};

/// The most entries that are told.
const ENTRIES: usize = 1000;

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
            "glob": {"type": "string", "maxLength": 1000, "description": "only paths like this, as `src/**/*.rs`; `*` stays within a folder, `**` does not"},
            "all": {"type": "boolean", "description": "also what .gitignore leaves out (default false)"}
        });
        let description =
            "Lists files and folders beneath a folder with the sizes of files. Folders end with `/`, links are marked and not followed.";
        Self { frame: Frame::new("list_files", description, Permission::Read, &properties, &[]), workspace }
    }

    fn run(&self, arguments: &Arguments, cancel: &Cancel) -> jarre_core::Result<ToolOutput> {
        or_cancelled(cancel, or_told(self.listed(arguments, cancel)))
    }

    fn listed(&self, arguments: &Arguments, cancel: &Cancel) -> Result<ToolOutput> {
        let glob = arguments.glob.as_deref().map(Glob::new);
        let (mut out, mut paths) = (String::new(), Vec::new());
        let walked = self.workspace.walk(arguments.path.as_deref().unwrap_or("."), arguments.all, cancel, &mut |step| {
            if paths.len() == ENTRIES {
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

implement_offloaded!(ListFiles);

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
    if walked.unheeded > 0 {
        let _ = writeln!(notes, "({} patterns of .gitignore files are too long or too many and were not heeded)", walked.unheeded);
    }
    notes
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use jarre_core::ErrorKind;

    use super::*;

    #[test]
    fn a_listing_ends_where_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let list = ListFiles::new(Workspace::open(folder.path()).unwrap());
        let (arguments, cancel) = (Arguments { path: None, glob: None, all: false }, Cancel::new());
        assert_eq!(list.run(&arguments, &cancel).unwrap().text, "there are no files\n");
        cancel.cancel();
        assert_eq!(list.run(&arguments, &cancel).unwrap_err().kind(), ErrorKind::Cancelled);
    }
}
