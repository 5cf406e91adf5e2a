//! The documents that stand in a text.

mod fence;
mod region;
mod tag;

use std::ops::Range;

use serde_json::Value;

pub use self::region::Origin;
use self::region::{Region, regions};
use super::{
    FixKind, Reason, Refusal, RepairConfig, Repaired, repair,
    repair::{repair_at, repair_from},
};

/// A document that a text may have been meant to hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Where it was found.
    pub origin: Origin,
    /// The bytes that were read as it.
    pub span: Range<usize>,
    /// The document.
    pub repaired: Repaired,
    /// Whether the text calls it JSON.
    named: bool,
}

impl Candidate {
    pub(super) fn whole(text: &str, repaired: Repaired) -> Self {
        Self { origin: Origin::Whole, span: 0..text.len(), repaired, named: true }
    }
}

/// Finds the documents in `text`, at most `limit`, the likeliest first.
///
/// A text that is a document as a whole holds this one, and where it is several, each of them too. Otherwise what a fence or a tag calls
/// JSON goes before what stands elsewhere; brackets in prose that look like none (`[1]`, `{}`, `[x]`) come last. Among equals the largest
/// is first, less 16 bytes for every unit of its [price](super::FixKind::price), and among these the last. What brackets in prose enclose is
/// not searched once they are read as a document.
///
/// # Errors
/// Why the text is no document, where none was found.
pub fn extract(text: &str, limit: usize, config: &RepairConfig) -> Result<Vec<Candidate>, Refusal> {
    let (content, origin) = without_mark(text);
    let whole = repair(content, config);
    let mut found = Vec::new();
    let mut search = true;
    let refusal = match whole {
        Ok(repaired) if plausible(&repaired) => {
            search = repaired.fixes.iter().any(|fix| fix.kind == FixKind::Documents);
            found.push(Candidate { origin, span: 0..content.len(), repaired, named: true });
            None
        }
        Ok(_) => Some(Refusal { reason: Reason::Unexpected, at: 0 }),
        Err(refusal) => Some(refusal),
    };
    if search {
        Search { text, limit, config, found: &mut found, left: 8 * text.len() + 4096 }.run();
    }
    if let (true, Some(refusal)) = (found.is_empty(), refusal) {
        return Err(refusal);
    }
    found.sort_by_key(|candidate| std::cmp::Reverse(rank(candidate)));
    Ok(found)
}

/// A text without the fence that closes it, where none opens it.
fn without_mark(text: &str) -> (&str, Origin) {
    let content = text.trim_end().strip_suffix("```").map(str::trim_end).filter(|content| !content.contains("```"));
    content.map_or((text, Origin::Whole), |content| (content, Origin::Fence))
}

/// Whether what was read as a whole may have been meant so. Words that happen to stand in quotes are none, nor is what holds brackets.
fn plausible(repaired: &Repaired) -> bool {
    match &repaired.value {
        Value::Object(_) | Value::Array(_) => true,
        Value::String(text) => repaired.price() <= 3 && !text.contains(['{', '[']),
        _ => repaired.price() <= 3,
    }
}

fn rank(candidate: &Candidate) -> (bool, bool, bool, i64, usize) {
    let Candidate { origin, span, repaired, named } = candidate;
    let size = span.len() as i64 - 16 * i64::from(repaired.price());
    (*origin == Origin::Whole, *named, !slight(repaired), size, span.end)
}

/// Whether a document says so little that it may be a citation, a placeholder or a range.
fn slight(repaired: &Repaired) -> bool {
    match &repaired.value {
        Value::Array(items) => {
            let quoted = !repaired.fixes.iter().any(|fix| fix.kind == FixKind::UnquotedValue);
            !items.iter().any(|item| item.is_object() || item.is_array() || quoted && item.is_string())
        }
        Value::Object(members) => members.is_empty(),
        _ => true,
    }
}

struct Search<'a> {
    text: &'a str,
    limit: usize,
    config: &'a RepairConfig,
    found: &'a mut Vec<Candidate>,
    /// How many bytes may still be read: texts of brackets that all begin something take their time once, not once for each.
    left: usize,
}

impl Search<'_> {
    fn run(&mut self) {
        let mut done = 0;
        for region in regions(self.text, self.limit) {
            let mut at = region.span.start.max(done);
            if at == region.span.start && region.origin != Origin::Prose && self.take_whole(&region) {
                done = region.span.end;
                continue;
            }
            while let Some(start) = self.next_bracket(at, region.span.end) {
                at = self.take(&region, start);
            }
            done = done.max(at);
        }
    }

    fn next_bracket(&self, at: usize, end: usize) -> Option<usize> {
        let open = self.found.len() < self.limit && self.left > 0 && at < end;
        open.then(|| self.text.get(at..end)?.find(['{', '[']).map(|start| at + start)).flatten()
    }

    /// Takes a fence or a tag as one document.
    fn take_whole(&mut self, region: &Region) -> bool {
        let Range { start, end } = region.span;
        let content = self.text[start..end].trim_start();
        if !region.named && !content.starts_with(['{', '[']) {
            return false;
        }
        self.spend(end - start);
        match repair_from(&self.text[..end], start, self.config) {
            Ok(repaired) if plausible(&repaired) && !cut(&repaired) => self.push(region, start..end, repaired),
            _ => return false,
        }
        true
    }

    /// Takes the document that begins with a bracket, if one does, and says where to search on.
    fn take(&mut self, region: &Region, start: usize) -> usize {
        let inside = if region.origin == Origin::Prose { self.text } else { &self.text[..region.span.end] };
        match repair_at(inside, start, self.config) {
            Ok(found) => {
                self.spend(found.end - start);
                let beyond = (cut(&found.repaired) && inside.len() < self.text.len()).then(|| self.beyond(start)).flatten();
                let (repaired, end) = beyond.unwrap_or((found.repaired, found.end));
                // A bracket in prose that swallows the rest need not have been one.
                let doubtful = cut(&repaired) && repaired.price() > 20;
                self.push(region, start..end, repaired);
                if doubtful { start + 1 } else { end }
            }
            Err(refusal) => {
                self.spend(refusal.at.saturating_sub(start));
                match refusal.reason {
                    Reason::Unexpected | Reason::AmbiguousText | Reason::Empty | Reason::Trailing => start + 1,
                    _ => self.after_brackets(start, inside.len()),
                }
            }
        }
    }

    /// The document at `start`, if it needs no mending once the fence that it is in is taken for a part of it.
    fn beyond(&mut self, start: usize) -> Option<(Repaired, usize)> {
        self.spend(self.text.len() - start);
        let found = repair_at(self.text, start, self.config).ok()?;
        let broken = found.repaired.fixes.iter().any(|fix| fix.kind != FixKind::ControlCharacter);
        (!broken).then_some((found.repaired, found.end))
    }

    /// The place after the bracket that closes the one at `start`; what it encloses is a document that cannot be read.
    fn after_brackets(&mut self, start: usize, end: usize) -> usize {
        let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
        for (at, byte) in self.text.as_bytes()[..end].iter().enumerate().skip(start) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = !quoted,
                b'{' | b'[' if !quoted => depth += 1,
                b'}' | b']' if !quoted => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.spend(at - start);
                return at + 1;
            }
        }
        self.spend(end - start);
        start + 1
    }

    fn push(&mut self, region: &Region, span: Range<usize>, repaired: Repaired) {
        self.found.push(Candidate { origin: region.origin, span, repaired, named: region.named });
    }

    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes + 1);
    }
}

/// Whether the text ended inside a document.
fn cut(repaired: &Repaired) -> bool {
    repaired.fixes.iter().any(|fix| matches!(fix.kind, FixKind::Truncated | FixKind::MissingClose))
}
