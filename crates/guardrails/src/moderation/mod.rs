//! Harmful content by category.

mod lexicon;

pub use lexicon::hook;
