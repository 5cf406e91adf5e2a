//! Reading files: Markdown, HTML, PDF and plain text become [`Document`]s.
//!
//! [`walk`] lists what a set of folders holds, [`read_file`] reads one of them, [`read_bytes`] reads what came from elsewhere. One bad
//! file never stops the rest: every parser runs [behind a wall](Limits) that turns its panics, its endless loops and its oversized input
//! into an [`Unreadable`] with a [`Reason`] that tells a person what to do.
//!
//! ```
//! use jarre_rag::{BlockKind, DocId, Format, ingest::{self, Limits, Reason}};
//!
//! let page = b"# Pumps\n\nCheck the seal *weekly*.\n";
//! let document = ingest::read_bytes(DocId("pumps.md".into()), "pumps.md", Format::Markdown, page, &Limits::default())?;
//! assert_eq!(document.title.as_deref(), Some("Pumps"));
//! let paragraph = &document.blocks[1];
//! assert_eq!(paragraph.kind, BlockKind::Paragraph);
//! assert_eq!(paragraph.span.of(&document.text), Some("Check the seal *weekly*."));
//!
//! let nothing = ingest::read_bytes(DocId("blank.txt".into()), "blank.txt", Format::Text, b" \n", &Limits::default());
//! assert_eq!(nothing.unwrap_err().reason, Reason::Empty);
//! # Ok::<(), ingest::Unreadable>(())
//! ```

mod blocks;
mod charset;
mod contain;
mod format;
mod html;
mod markdown;
#[cfg(feature = "pdf")]
mod pdf;
mod plain;
mod readable;
mod reason;
mod render;
mod walk;
mod writer;

use std::{collections::BTreeMap, fs, time::Duration};

pub use reason::{Reason, Unreadable};
pub use walk::{FoundFile, Walk, walk};

use crate::{Block, DocId, Document, Format};

/// What one file may cost before it is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest file that is opened, in bytes; 64 MiB by default.
    pub max_bytes: u64,
    /// The longest that a parser may take for one file; 20 s by default. A parser that is stuck keeps its thread until the process ends.
    pub max_time: Duration,
    /// The most pages that a paged document may have; 5,000 by default.
    pub max_pages: usize,
    /// How deep folders may nest below a root; 64 by default.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 64 << 20, max_time: Duration::from_secs(20), max_pages: 5_000, max_depth: 64 }
    }
}

/// Reads a file that [`walk`] found. What its content shows beats what its name says: a PDF named `.html` is read as a PDF.
///
/// # Errors
/// Where the file cannot be read or does not make a document.
pub fn read_file(file: &FoundFile, limits: &Limits) -> Result<Document, Unreadable> {
    let source = file.path.display().to_string();
    let refuse = |reason| Unreadable { path: source.clone(), reason };
    let size = fs::metadata(&file.path).map_err(|error| refuse(Reason::io(&error)))?.len();
    within_size(size, limits).map_err(refuse)?;
    let bytes = fs::read(&file.path).map_err(|error| refuse(Reason::io(&error)))?;
    let format = Format::sniff(&bytes).unwrap_or(file.format);
    read(file.id.clone(), &source, format, bytes, limits)
}

/// Reads `bytes` as `format`; `source` is the path or URL that a reader would type.
///
/// # Errors
/// Where the bytes do not make a document.
pub fn read_bytes(id: DocId, source: &str, format: Format, bytes: &[u8], limits: &Limits) -> Result<Document, Unreadable> {
    within_size(bytes.len() as u64, limits).map_err(|reason| Unreadable { path: source.to_owned(), reason })?;
    read(id, source, format, bytes.to_vec(), limits)
}

/// The hash that [`Document::content_hash`] holds: a file whose hash has not changed need not be read again.
pub fn content_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// What a format's reader makes of a file.
#[derive(Debug)]
struct Parsed {
    title: Option<String>,
    language: Option<String>,
    text: String,
    blocks: Vec<Block>,
}

fn read(id: DocId, source: &str, format: Format, bytes: Vec<u8>, limits: &Limits) -> Result<Document, Unreadable> {
    let content_hash = content_hash(&bytes);
    let for_parser = limits.clone();
    let parsed = contain::run(limits.max_time, move || parse(format, bytes, &for_parser)).and_then(not_blank);
    let Parsed { title, language, text, blocks } = parsed.map_err(|reason| Unreadable { path: source.to_owned(), reason })?;
    let source = source.to_owned();
    Ok(Document { id, source, title, language, format, content_hash, text, blocks, metadata: BTreeMap::new() })
}

fn parse(format: Format, bytes: Vec<u8>, limits: &Limits) -> Result<Parsed, Reason> {
    match format {
        Format::Markdown => Ok(markdown::read(charset::decode_text(bytes))),
        Format::Text => Ok(plain::read(charset::decode_text(bytes))),
        Format::Html => Ok(html::read(&charset::decode_html(&bytes))),
        #[cfg(feature = "pdf")]
        Format::Pdf => pdf::read(bytes, limits.max_pages),
        #[cfg(not(feature = "pdf"))]
        Format::Pdf => {
            let _ = limits;
            Err(Reason::Unsupported { detail: "PDF files need the cargo feature `pdf`".to_owned() })
        }
    }
}

fn within_size(bytes: u64, limits: &Limits) -> Result<(), Reason> {
    if bytes > limits.max_bytes { Err(Reason::TooLarge { bytes, limit: limits.max_bytes }) } else { Ok(()) }
}

fn not_blank(parsed: Parsed) -> Result<Parsed, Reason> {
    let blank = parsed.text.trim_start_matches('\u{feff}').trim().is_empty();
    if blank { Err(Reason::Empty) } else { Ok(parsed) }
}
