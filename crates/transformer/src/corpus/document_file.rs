use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::documents::Document;
use super::files::Format;
use super::jsonl;
use crate::error::{Error, Result};

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How documents are taken out of a file.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) text_field: String,
    pub(super) separator: Option<String>,
    pub(super) max_bytes: usize,
}

/// A file that documents are read from, one after another.
pub(super) struct DocumentFile {
    path: Arc<Path>,
    format: Format,
    reader: Box<dyn BufRead + Send>,
    /// Lines read.
    line: u64,
}

impl DocumentFile {
    pub(super) fn open(path: &Path, read_bytes: &Arc<AtomicU64>) -> Result<Self> {
        let file = File::open(path).map_err(Error::io(path))?;
        let counted = BufReader::new(Counted { file, read: Arc::clone(read_bytes) });
        let format = Format::of(path);
        let reader: Box<dyn BufRead + Send> =
            if format.gzip { Box::new(BufReader::new(MultiGzDecoder::new(counted))) } else { Box::new(counted) };
        Ok(Self { path: path.into(), format, reader, line: 0 })
    }

    /// The next document, which may be without text.
    pub(super) fn next(&mut self, reading: &Reading) -> Result<Option<Document>> {
        if self.format.json_lines { self.next_object(reading) } else { self.next_text(reading) }
    }

    fn next_object(&mut self, reading: &Reading) -> Result<Option<Document>> {
        let mut bytes = Vec::new();
        while self.read_line(&mut bytes, reading.max_bytes)? {
            let line = self.text(std::mem::take(&mut bytes), self.line)?;
            if !line.trim().is_empty() {
                let text = jsonl::text_of(&line, &reading.text_field).map_err(|reason| self.problem(self.line, reason))?;
                return Ok(Some(self.document(text, self.line)));
            }
        }
        Ok(None)
    }

    fn next_text(&mut self, reading: &Reading) -> Result<Option<Document>> {
        let first = self.line + 1;
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            if !self.read_line(&mut bytes, reading.max_bytes)? {
                if bytes.is_empty() {
                    return Ok(None);
                }
                break;
            }
            if reading.separator.as_ref().is_some_and(|separator| bytes[start..].trim_ascii_end() == separator.as_bytes()) {
                bytes.truncate(start);
                break;
            }
        }
        let text = self.text(bytes, first)?;
        Ok(Some(self.document(text, first)))
    }

    /// Appends a line with its end to `bytes`, which may become `limit` long; whether there was one.
    fn read_line(&mut self, bytes: &mut Vec<u8>, limit: usize) -> Result<bool> {
        let room = (limit - bytes.len()) as u64 + 1;
        let read = self.reader.by_ref().take(room).read_until(b'\n', bytes);
        let read = read.map_err(|error| self.problem(self.line + 1, format!("it cannot be read: {error}")))?;
        if bytes.len() > limit {
            return Err(self.problem(self.line + 1, format!("a document of more than {limit} bytes; raise max_bytes or cut it up")));
        }
        self.line += u64::from(read > 0);
        Ok(read > 0)
    }

    /// `bytes` that start on line `first`, without a byte order mark where the file begins with one.
    fn text(&self, bytes: Vec<u8>, first: u64) -> Result<String> {
        let mut text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let lines = error.as_bytes()[..valid].split(|byte| *byte == b'\n').count();
            self.problem(first + lines as u64 - 1, "it is not UTF-8".to_owned())
        })?;
        if first == 1 && text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(text)
    }

    fn document(&self, text: String, line: u64) -> Document {
        Document { text, path: Arc::clone(&self.path), line }
    }

    fn problem(&self, line: u64, reason: String) -> Error {
        Error::Document { path: self.path.to_path_buf(), line, reason }
    }
}

impl std::fmt::Debug for DocumentFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DocumentFile").field("path", &self.path).field("line", &self.line).finish_non_exhaustive()
    }
}

/// Counts the bytes that are read.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
