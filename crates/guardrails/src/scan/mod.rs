//! Readings to build guards from. Each finds the same however the text is cut into pieces.

mod announced;
mod beginning;
mod digits;
mod matcher;
mod pattern;
mod rule;
mod strides;
mod whole;

pub use matcher::Matcher;
pub use pattern::{Pattern, Seen};
pub(crate) use rule::{Judge, Rule};
pub use strides::{Strides, Window};
pub use whole::Whole;

/// The largest character boundary of `text` at or before `at`.
pub(crate) fn boundary_before(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
