//! Whether an answer is held by its sources.
//!
//! A [`GroundingGuard`] reads an answer sentence by sentence against [`Context::sources`](crate::Context::sources): by its words, numbers
//! and names, and by a classifier of entailment where it is given one.

mod entailment;
mod evidence;
mod guard;
mod sentences;
mod words;

pub use entailment::Entailment;
pub use guard::{GroundingConfig, GroundingGuard};
