#![expect(clippy::unwrap_used, reason = "tests")]

//! The chunkers: hand-made cases, and properties over generated documents.

mod cases;
mod documents;
mod properties;
