use std::fmt::Write as _;

use jarre_core::{Permission, ToolContext, ToolOutput};
use serde::Deserialize;
use serde_json::json;

use super::frame::{Frame, implement};
use crate::{Error, Result, Workspace, workspace::text::clipped};

/// Lines where no number is given.
const LINES: usize = 500;
/// The most characters of a line.
const LINE_CHARS: usize = 1000;
/// The most bytes of an output.
const BYTES: usize = 64 << 10;

/// `file_read`: lines of a file, each with its number.
#[derive(Clone, Debug)]
pub struct FileRead {
    frame: Frame,
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Arguments {
    path: String,
    from: Option<usize>,
    lines: Option<usize>,
}

impl FileRead {
    /// Reads files of `workspace`.
    pub fn new(workspace: Workspace) -> Self {
        let properties = json!({
            "path": {"type": "string", "description": "the file, relative to the folder that you work in"},
            "from": {"type": "integer", "minimum": 1, "maximum": 100_000_000, "description": "the first line, from 1 (default 1)"},
            "lines": {"type": "integer", "minimum": 1, "maximum": 2000, "description": "how many lines (default 500)"}
        });
        let description =
            "Reads a text file. Each line comes with its number and a tab, which are not part of the file. Read a file before you edit it.";
        Self { frame: Frame::new("file_read", description, Permission::Read, &properties, &["path"]), workspace }
    }

    fn run(&self, arguments: &Arguments, _: &ToolContext) -> Result<ToolOutput> {
        let text = self.workspace.read(&arguments.path)?;
        let total = text.lines().count();
        let from = arguments.from.unwrap_or(1);
        if total == 0 {
            return Ok(ToolOutput::new("the file is empty").with_data(json!({"path": arguments.path, "total": 0})));
        }
        if from > total {
            let reason = format!("it has {total} lines, there is no line {from}");
            return Err(Error::Path { path: arguments.path.clone(), reason });
        }
        let mut out = String::new();
        let mut to = from - 1;
        for line in text.lines().skip(from - 1).take(arguments.lines.unwrap_or(LINES)) {
            if !out.is_empty() && out.len() + line.len().min(4 * LINE_CHARS) > BYTES {
                break;
            }
            to += 1;
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{to:>6}\t{}", clipped(line, LINE_CHARS));
        }
        if to < total {
            let _ = write!(out, "(lines {from} to {to} of {total}; read on from {})", to + 1);
        }
        let digest = blake3::hash(text.as_bytes()).to_hex().to_string();
        let data = json!({"path": arguments.path, "from": from, "to": to, "total": total, "digest": digest});
        Ok(ToolOutput::new(out).with_data(data))
    }
}

implement!(FileRead);
