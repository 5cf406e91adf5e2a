//! Tools whose calls come out right when a run was broken off in one of them and goes on.

use jarre_agent::{
    Result, Workspace,
    log::{Effects, InDoubt, Once},
    tools::{CodeExecute, FileEdit, FileWrite, TestRun},
};
use jarre_core::{BoxFuture, Tool, ToolContext, ToolOutput, ToolSpec};
use serde_json::Value;

/// The tools that are named to the driver as keeping their keys.
pub(crate) const KEPT: [&str; 4] = ["file_write", "file_edit", "test_run", "code_execute"];

/// Writes a file whole, so that a second time comes to the same.
pub(crate) fn write(workspace: Workspace, effects: &Effects) -> Once<FileWrite> {
    Once::new(FileWrite::new(workspace), effects.clone(), InDoubt::Repeat)
}

/// An edit looks whether it was made.
pub(crate) fn edit(workspace: Workspace, effects: &Effects) -> Once<EditOnce> {
    let edit = EditOnce { edit: FileEdit::new(workspace.clone()), workspace, effects: effects.clone() };
    Once::new(edit, effects.clone(), InDoubt::Repeat)
}

/// Tests are run again.
pub(crate) fn tests(tests: TestRun, effects: &Effects) -> Once<TestRun> {
    Once::new(tests, effects.clone(), InDoubt::Repeat)
}

/// What code does nobody knows: it is not run again, and the model is told.
pub(crate) fn execute(execute: CodeExecute, effects: &Effects) -> Once<CodeExecute> {
    Once::new(execute, effects.clone(), InDoubt::Refuse)
}

/// `file_edit`, that may be called again with its key: what the file was like is kept first, and where it is another by then, the edit is looked for
/// in it. An edit alone would be made twice where its text holds what it replaces, and be refused elsewhere.
pub(crate) struct EditOnce {
    edit: FileEdit,
    workspace: Workspace,
    effects: Effects,
}

impl EditOnce {
    /// What is to be said of the edit without making it; none where it is to be made.
    async fn said(&self, arguments: &Value, context: &ToolContext) -> Result<Option<ToolOutput>> {
        let text = |name: &str| arguments[name].as_str().unwrap_or_default();
        let path = text("path");
        // What cannot be read is for the tool to refuse.
        let Ok(now) = self.workspace.read(path) else { return Ok(None) };
        let digest = blake3::hash(now.as_bytes()).to_hex().to_string();
        let key = format!("{}/before", context.idempotency_key);
        let before: String = self.effects.once(&key, InDoubt::Repeat, async || Ok(digest.clone())).await?;
        let plain = |text: &str| text.replace("\r\n", "\n");
        Ok(match before == digest {
            true => None,
            false if plain(&now).contains(&plain(text("replace"))) => {
                Some(ToolOutput::new(format!("`{path}` was changed by this edit before the run was broken off; it was not made again")))
            }
            false => Some(ToolOutput::error(format!(
                "`{path}` was changed since this edit was begun, and the new text is not in it: read the file and edit it anew"
            ))),
        })
    }
}

impl Tool for EditOnce {
    fn spec(&self) -> &ToolSpec {
        self.edit.spec()
    }

    fn call<'a>(&'a self, arguments: Value, context: &'a ToolContext) -> BoxFuture<'a, jarre_core::Result<ToolOutput>> {
        Box::pin(async move {
            let internal =
                |error: jarre_agent::Error| jarre_core::Error::new(jarre_core::ErrorKind::Internal, error.to_string()).with_source(error);
            match self.said(&arguments, context).await.map_err(internal)? {
                Some(output) => Ok(output),
                None => self.edit.call(arguments, context).await,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jarre_kv_store::Memory;
    use pollster::block_on;
    use serde_json::json;

    use super::*;

    fn read(folder: &tempfile::TempDir) -> String {
        std::fs::read_to_string(folder.path().join("a.txt")).unwrap()
    }

    /// A process that died within the edit: what it kept and what it wrote is there, its output is not.
    fn begun(folder: &tempfile::TempDir, effects: &Effects, arguments: &Value, context: &ToolContext) {
        let workspace = Workspace::open(folder.path()).unwrap();
        let edit = EditOnce { edit: FileEdit::new(workspace.clone()), workspace, effects: effects.clone() };
        assert!(!block_on(edit.call(arguments.clone(), context)).unwrap().is_error);
    }

    #[test]
    fn an_edit_that_was_cut_off_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let effects = Effects::new(Arc::new(Memory::new()));
        let again = || edit(Workspace::open(folder.path()).unwrap(), &effects);
        // The second holds what it replaces: made again it would be there twice.
        for (key, search, replace, after) in [("1", "one", "two", "two\n"), ("2", "two", "two\ntwo and a half", "two\ntwo and a half\n")] {
            if key == "1" {
                std::fs::write(folder.path().join("a.txt"), "one\n").unwrap();
            }
            let (arguments, context) = (json!({"path": "a.txt", "search": search, "replace": replace}), ToolContext::new(key));
            begun(&folder, &effects, &arguments, &context);
            let output = block_on(again().call(arguments, &context)).unwrap();
            assert!(!output.is_error && output.text.contains("not made again"), "{}", output.text);
            assert_eq!(read(&folder), after);
        }
    }

    #[test]
    fn an_edit_that_was_not_made_is_made_and_one_into_another_text_is_not_claimed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, effects) = (folder.path().join("a.txt"), Effects::new(Arc::new(Memory::new())));
        let again = || edit(Workspace::open(folder.path()).unwrap(), &effects);
        let arguments = json!({"path": "a.txt", "search": "one", "replace": "two"});
        std::fs::write(&path, "one\n").unwrap();
        assert!(!block_on(again().call(arguments.clone(), &ToolContext::new("1"))).unwrap().is_error);
        assert_eq!(read(&folder), "two\n");

        std::fs::write(&path, "one\n").unwrap();
        begun(&folder, &effects, &arguments, &ToolContext::new("2"));
        std::fs::write(&path, "three\n").unwrap();
        let output = block_on(again().call(arguments, &ToolContext::new("2"))).unwrap();
        assert!(output.is_error && read(&folder) == "three\n", "{}", output.text);
    }
}
