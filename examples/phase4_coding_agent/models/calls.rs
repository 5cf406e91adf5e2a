//! The calls that actors make, in the words of the tools.

use serde_json::json;

use super::actor::Turn;

pub(crate) fn read(thought: &str, path: &str) -> Turn {
    call(thought, "file_read", json!({"path": path}))
}

pub(crate) fn write(thought: &str, path: &str, content: &str) -> Turn {
    call(thought, "file_write", json!({"path": path, "content": content}))
}

pub(crate) fn edit(thought: &str, path: &str, search: &str, replace: &str) -> Turn {
    call(thought, "file_edit", json!({"path": path, "search": search, "replace": replace}))
}

pub(crate) fn list(thought: &str) -> Turn {
    call(thought, "list_files", json!({}))
}

pub(crate) fn execute(thought: &str, language: &str, code: &str) -> Turn {
    call(thought, "code_execute", json!({"language": language, "code": code}))
}

pub(crate) fn test(thought: &str) -> Turn {
    call(thought, "test_run", json!({}))
}

pub(crate) fn finish(thought: &str, answer: &str) -> Turn {
    call(thought, "finish", json!({"answer": answer}))
}

pub(crate) fn give_up(thought: &str, why: &str) -> Turn {
    call(thought, "finish", json!({"answer": why, "gave_up": true}))
}

fn call(thought: &str, tool: &'static str, arguments: serde_json::Value) -> Turn {
    Turn::Call { thought: thought.into(), tool, arguments }
}
