//! Documents and their chunks as a segment keeps them: a line of JSON each.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::storage::corrupt;
use crate::{Chunk, Document, Result};

/// A document, its chunks, and how many terms each of them has in the term index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) document: Document,
    pub(super) chunks: Vec<Chunk>,
    pub(super) terms: Vec<u32>,
}

impl Entry {
    /// What would make a later search panic or cite what is not there, in words; `None` where all is well.
    pub(super) fn defect(&self) -> Option<String> {
        let Self { document, chunks, terms } = self;
        if terms.len() != chunks.len() {
            return Some(format!("{} term counts for {} chunks", terms.len(), chunks.len()));
        }
        chunks.iter().enumerate().find_map(|(ordinal, chunk)| chunk_defect(document, chunk, ordinal))
    }
}

fn chunk_defect(document: &Document, chunk: &Chunk, ordinal: usize) -> Option<String> {
    let id = &chunk.id;
    if id.doc != document.id || id.ordinal as usize != ordinal {
        return Some(format!("the chunk at place {ordinal} is named `{id}`; chunks are named by document and place"));
    }
    let span = chunk.span;
    let cited = span.of(&document.text).is_some_and(|text| !text.is_empty());
    (!cited).then(|| format!("the span {}..{} of chunk `{id}` is not a piece of the text", span.start, span.end))
}

pub(super) fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut lines = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut lines, entry).expect("an entry has only string keys, and a vector takes every byte");
        lines.push(b'\n');
    }
    lines
}

/// Reads what [`encode`] wrote. No line is trusted: every entry is held to its invariants.
pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<Vec<Entry>> {
    let lines = bytes.split_inclusive(|&byte| byte == b'\n').enumerate();
    lines.map(|(number, line)| decode_line(line).map_err(|reason| corrupt(path, format!("line {}: {reason}", number + 1)))).collect()
}

fn decode_line(line: &[u8]) -> Result<Entry, String> {
    let entry: Entry = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    match entry.defect() {
        Some(defect) => Err(defect),
        None => Ok(entry),
    }
}
