use std::{fmt::Write as _, ops::ControlFlow};

use jarre_core::{Permission, ToolOutput};
use jarre_sandbox::Cancel;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    frame::{Frame, or_told},
    list_files::notes,
    offload::{implement_offloaded, or_cancelled},
};
use crate::{
    Error, Result, Workspace,
    permission::{glob::Glob, path::NormalPath},
    workspace::{
        Kind,
        text::{clipped, decode, printable},
    },
};

/// The most lines that are told to match.
const MATCHES: usize = 200;
/// The most bytes of an output.
const BYTES: usize = 64 << 10;
/// The most characters of a line.
const LINE_CHARS: usize = 300;
/// The most bytes of a line that are searched.
const LINE_BYTES: usize = 64 << 10;
/// The most bytes of all files that are searched.
const SEARCHED: u64 = 256 << 20;

/// `search_text`: the lines that a regular expression matches, in all text files beneath a folder.
///
/// Expressions run in time linear in the text (the crate `regex`). Binary files and those too large to read are counted and left out, and
/// of a line longer than 64 KiB the beginning is searched.
#[derive(Clone, Debug)]
pub struct SearchText {
    frame: Frame,
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Arguments {
    pattern: String,
    path: Option<String>,
    glob: Option<String>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    context: usize,
}

impl SearchText {
    /// Searches files of `workspace`.
    pub fn new(workspace: Workspace) -> Self {
        let pattern = "a regular expression, without lookaround and back-references";
        let properties = json!({
            "pattern": {"type": "string", "minLength": 1, "maxLength": 1000, "description": pattern},
            "path": {"type": "string", "description": "the folder or the file, relative to the folder that you work in (default: that folder)"},
            "glob": {"type": "string", "maxLength": 1000, "description": "only files like this, as `src/**/*.rs`"},
            "ignore_case": {"type": "boolean", "description": "whether `a` matches `A` (default false)"},
            "context": {"type": "integer", "minimum": 0, "maximum": 5, "description": "lines to show before and after each match (default 0)"}
        });
        let description = "Searches text files for a regular expression, line by line. \
                           Matches are told as `path:line: text`, lines around them with `-`.";
        Self { frame: Frame::new("search_text", description, Permission::Read, &properties, &["pattern"]), workspace }
    }

    fn run(&self, arguments: &Arguments, cancel: &Cancel) -> jarre_core::Result<ToolOutput> {
        or_cancelled(cancel, or_told(self.searched(arguments, cancel)))
    }

    fn searched(&self, arguments: &Arguments, cancel: &Cancel) -> Result<ToolOutput> {
        let regex = RegexBuilder::new(&arguments.pattern).case_insensitive(arguments.ignore_case).size_limit(1 << 20).build();
        let regex = regex.map_err(|error| Error::Invalid(format!("the pattern is not a regular expression: {error}")))?;
        let mut search = Search {
            regex,
            cancel: cancel.clone(),
            context: arguments.context,
            out: String::new(),
            matches: Vec::new(),
            skipped: 0,
            cut: 0,
            searched: 0,
        };
        let path = arguments.path.as_deref().unwrap_or(".");
        let walked = match self.workspace.read(path) {
            Ok(text) => {
                search.text(&self.workspace.parts(path)?.join("/"), &text);
                crate::workspace::Walked::default()
            }
            Err(_) => self.folder(path, arguments.glob.as_deref().map(Glob::new).as_ref(), &mut search)?,
        };
        Ok(search.output(&notes(&walked, "give a narrower pattern, `path` or `glob`"), walked.stopped))
    }

    fn folder(&self, path: &str, glob: Option<&Glob>, search: &mut Search) -> Result<crate::workspace::Walked> {
        self.workspace.walk(path, false, &search.cancel.clone(), &mut |step| {
            let wanted = step.found.kind == Kind::File && glob.is_none_or(|glob| glob.matches(&NormalPath::new(&step.path).parts));
            if !wanted {
                return ControlFlow::Continue(());
            }
            if search.is_full() {
                return ControlFlow::Break(());
            }
            if step.found.size > self.workspace.file_bytes {
                search.skipped += 1;
                return ControlFlow::Continue(());
            }
            search.searched += step.found.size;
            match self.workspace.bytes(step.folder, step.name).map(decode) {
                Ok(Ok(text)) => search.text(&step.path, &text),
                _ => search.skipped += 1,
            }
            ControlFlow::Continue(())
        })
    }
}

implement_offloaded!(SearchText);

struct Search {
    regex: Regex,
    cancel: Cancel,
    context: usize,
    out: String,
    matches: Vec<Value>,
    /// Files that are no text, too large, or could not be read.
    skipped: usize,
    /// Lines of which only the beginning was searched.
    cut: usize,
    searched: u64,
}

impl Search {
    fn is_full(&self) -> bool {
        self.matches.len() >= MATCHES || self.out.len() >= BYTES || self.searched >= SEARCHED
    }

    fn matches(&self, line: &str) -> bool {
        self.regex.is_match(&line[..line.floor_char_boundary(LINE_BYTES)])
    }

    fn text(&mut self, path: &str, text: &str) {
        let path = printable(path);
        let lines: Vec<&str> = text.lines().collect();
        let mut shown = 0;
        for at in 0..lines.len() {
            if self.is_full() || self.cancel.is_cancelled() {
                return;
            }
            self.cut += usize::from(lines[at].len() > LINE_BYTES);
            if !self.matches(lines[at]) {
                continue;
            }
            let start = at.saturating_sub(self.context).max(shown);
            if self.context > 0 && start > shown && !self.out.is_empty() {
                self.out.push_str("--\n");
            }
            let end = (at + self.context + 1).min(lines.len());
            for (index, line) in lines.iter().enumerate().take(end).skip(start) {
                let sign = if self.matches(line) { ':' } else { '-' };
                // Writing to a string cannot fail.
                let _ = writeln!(self.out, "{path}{sign}{}{sign} {}", index + 1, clipped(line, LINE_CHARS));
            }
            shown = end.max(shown);
            self.matches.push(json!({"path": path, "line": at + 1}));
        }
    }

    fn output(mut self, notes: &str, stopped: bool) -> ToolOutput {
        let full = self.is_full();
        if self.matches.is_empty() {
            self.out.push_str("nothing matches\n");
        }
        if full && !stopped {
            self.out.push_str("(there may be more; give a narrower pattern, `path` or `glob`)\n");
        }
        self.out.push_str(notes);
        if self.skipped > 0 {
            let _ = writeln!(self.out, "({} files are no text, too large or unreadable)", self.skipped);
        }
        if self.cut > 0 {
            let _ = writeln!(self.out, "({} lines are longer than {LINE_BYTES} bytes, of which only the beginning was searched)", self.cut);
        }
        let complete = !full && !stopped && self.cut == 0;
        let data = json!({"matches": self.matches, "skipped": self.skipped, "complete": complete});
        ToolOutput::new(self.out).with_data(data)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use jarre_core::ErrorKind;

    use super::*;

    #[test]
    fn a_search_ends_where_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open(folder.path()).unwrap();
        workspace.write("a", "one\n", "test").unwrap();
        let (search, cancel) = (SearchText::new(workspace), Cancel::new());
        let arguments: Arguments = serde_json::from_value(json!({"pattern": "one"})).unwrap();
        assert_eq!(search.run(&arguments, &cancel).unwrap().text, "a:1: one\n");
        cancel.cancel();
        assert_eq!(search.run(&arguments, &cancel).unwrap_err().kind(), ErrorKind::Cancelled);
    }
}
