//! Reading line formats so that every error names its line.

use std::{
    collections::{HashMap, hash_map::Entry},
    io::BufRead,
};

use crate::{Error, Result};

/// Calls `handle` with the number, from 1, and the text of each line that is not blank.
pub(crate) fn for_each(mut reader: impl BufRead, mut handle: impl FnMut(usize, &str) -> Result<()>) -> Result<()> {
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed(number, "not UTF-8 text"))?;
        // Editors on Windows begin a file with a byte order mark, which would become part of the first query's id.
        let text = if number == 1 { text.trim_start_matches('\u{feff}') } else { text };
        if !text.trim().is_empty() {
            handle(number, text)?;
        }
    }
    Ok(())
}

/// Refuses an id that a line of white-space separated fields cannot hold.
pub(crate) fn check_id(id: &str) -> Result<()> {
    if id.is_empty() || id.contains(char::is_whitespace) { Err(Error::UnwritableId(id.to_owned())) } else { Ok(()) }
}

pub(crate) fn malformed(line: usize, problem: &str) -> Error {
    Error::Malformed { line, problem: problem.to_owned() }
}

/// Where each document of each query was first seen.
#[derive(Default)]
pub(crate) struct FirstLines {
    queries: HashMap<String, HashMap<String, usize>>,
}

impl FirstLines {
    /// Remembers the line of a document, or fails where it has one already.
    pub(crate) fn note(&mut self, line: usize, query: &str, document: &str) -> Result<()> {
        if !self.queries.contains_key(query) {
            self.queries.insert(query.to_owned(), HashMap::new());
        }
        let documents = self.queries.get_mut(query).expect("the query was inserted above");
        match documents.entry(document.to_owned()) {
            Entry::Vacant(entry) => {
                entry.insert(line);
                Ok(())
            }
            Entry::Occupied(entry) => {
                let (query, document) = (query.to_owned(), document.to_owned());
                Err(Error::Duplicate { line, first: *entry.get(), query, document })
            }
        }
    }
}
