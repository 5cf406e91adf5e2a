use std::{collections::BTreeMap, fmt, ops::Range};

use serde::{Deserialize, Serialize};

/// Names a document within an index: the path relative to the folder it was found in, a URL, or any id that the caller keeps unique.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DocId(pub String);

impl fmt::Display for DocId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A range of bytes of [`Document::text`], on character boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span `start..end`.
    ///
    /// # Panics
    /// Where `start` is past `end`.
    pub fn new(start: usize, end: usize) -> Self {
        assert!(start <= end, "a span of {start}..{end} runs backwards");
        Self { start, end }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether the span holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `other` lies inside.
    pub fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The text of the span; `None` where it is out of range or splits a character.
    pub fn of(self, text: &str) -> Option<&str> {
        text.get(self.start..self.end)
    }

    /// The span without the white space at its ends; `None` where there is nothing else in it, or where it is not of `text`.
    pub(crate) fn trimmed(self, text: &str) -> Option<Self> {
        let inner = self.of(text)?;
        let start = self.start + (inner.len() - inner.trim_start().len());
        let length = inner.trim().len();
        (length > 0).then(|| Self::new(start, start + length))
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

/// What a document was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Format {
    /// `CommonMark` with GitHub's tables.
    Markdown,
    /// An HTML page.
    Html,
    /// A PDF file.
    Pdf,
    /// Plain text.
    Text,
}

/// A document as read, before it is cut into chunks.
///
/// `text` is what every span points into: for Markdown and plain text the file itself, byte for byte (decoded as UTF-8, invalid bytes
/// replaced); for HTML and PDF the text extracted from it, which the index keeps, so that a citation can always be checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Unique within an index.
    pub id: DocId,
    /// Path or URL as a reader would type it.
    pub source: String,
    /// Title, where the document states one.
    pub title: Option<String>,
    /// BCP 47 language tag, where the document states one.
    pub language: Option<String>,
    /// What it was read from.
    pub format: Format,
    /// BLAKE3 of the source's bytes, in hexadecimal: what incremental ingestion compares.
    pub content_hash: String,
    /// The canonical text.
    pub text: String,
    /// The structure, in text order: spans do not overlap, and whatever lies between them is markup or white space.
    pub blocks: Vec<Block>,
    /// Caller's own fields, for filters.
    pub metadata: BTreeMap<String, String>,
}

/// A piece of a document's structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Where it stands.
    pub span: Span,
    /// Page, from 1, for paged formats.
    pub page: Option<u32>,
}

/// The kinds of block that chunkers treat differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BlockKind {
    /// A heading; the plain text of it, and its level from 1.
    Heading {
        /// 1 is the highest.
        level: u8,
        /// The heading without markup.
        text: String,
    },
    /// A paragraph.
    Paragraph,
    /// One item of a list.
    ListItem,
    /// A whole table, one row a line.
    Table,
    /// A block of code.
    Code,
    /// A quotation.
    Quote,
}
