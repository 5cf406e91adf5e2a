//! A document out of text that is nearly JSON.

mod bare;
mod brackets;
mod closing;
mod cursor;
mod escape;
mod frame;
mod number;
mod quote;
mod reader;
mod string;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::{cursor::Cursor, reader::Reader};
use super::{Fix, Refusal};

/// How far [`repair`] goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RepairConfig {
    /// How deep brackets may be nested; never more than [`MAX_DEPTH`].
    pub depth: usize,
    /// How many fixes a document may need.
    pub fixes: usize,
    /// Whether documents one after the other (JSON Lines, NDJSON, `{..}{..}`) are an array of them; otherwise they are refused.
    pub documents: bool,
}

impl Default for RepairConfig {
    fn default() -> Self {
        Self { depth: MAX_DEPTH, fixes: 100_000, documents: true }
    }
}

/// The deepest nesting that is ever read: what `serde_json` can read again.
pub const MAX_DEPTH: usize = 127;

/// A document, and what was mended to read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Repaired {
    /// The document.
    pub value: Value,
    /// What was mended, in the order in which it was read. None for JSON.
    pub fixes: Vec<Fix>,
}

impl Repaired {
    /// What the fixes cost together.
    pub fn price(&self) -> u32 {
        self.fixes.iter().fold(0, |price, fix| price.saturating_add(fix.kind.price()))
    }
}

/// Reads `text` as one document, mending what is wrong with it.
///
/// JSON (RFC 8259) is read as `serde_json` reads it: of members with one key the last counts, numbers that are no 64-bit integers are
/// doubles. For everything else there is a [`FixKind`](super::FixKind), whose documentation says how it is read; what may be meant in two
/// ways is refused. Takes time linear in the text, and no stack for its nesting.
///
/// # Errors
/// What cannot be decided, and where.
///
/// ```
/// use jarre_guardrails::json::{FixKind, Reason, RepairConfig, repair};
///
/// let repaired = repair("{'name': 'Zoë', tags: [1, 2,], ok: True", &RepairConfig::default())?;
/// assert_eq!(repaired.value, serde_json::json!({"name": "Zoë", "tags": [1, 2], "ok": true}));
/// assert!(repaired.fixes.iter().any(|fix| fix.kind == FixKind::TrailingComma && fix.at == 28));
///
/// let refused = repair(r#"{"price": 1,234}"#, &RepairConfig::default()).unwrap_err();
/// assert_eq!((refused.reason, refused.at), (Reason::AmbiguousNumber, 10));
/// # Ok::<(), jarre_guardrails::json::Refusal>(())
/// ```
pub fn repair(text: &str, config: &RepairConfig) -> Result<Repaired, Refusal> {
    repair_from(text, 0, config)
}

/// A document that begins inside a text.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) repaired: Repaired,
    /// Where it ends.
    pub(super) end: usize,
}

/// Reads the document that begins with the bracket at `at`, and stops after it.
pub(super) fn repair_at(text: &str, at: usize, config: &RepairConfig) -> Result<Found, Refusal> {
    let mut reader = Reader::new(Cursor::new(text, at), *config);
    let value = reader.first()?;
    Ok(Found { end: reader.cursor.at, repaired: Repaired { value, fixes: reader.fixes } })
}

/// Reads a text from a place to its end as one document.
pub(super) fn repair_from(text: &str, at: usize, config: &RepairConfig) -> Result<Repaired, Refusal> {
    let mut reader = Reader::new(Cursor::new(text, at), *config);
    let value = reader.whole()?;
    Ok(Repaired { value, fixes: reader.fixes })
}

#[cfg(test)]
mod tests;
