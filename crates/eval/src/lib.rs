#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

#[cfg(feature = "run")]
mod digest;
mod error;
mod line;
#[cfg(feature = "run")]
mod rows;
mod sample;

pub mod classification;
pub mod code;
pub mod compare;
#[cfg(feature = "run")]
pub mod experiment;
pub mod judge;
pub mod language_model;
#[cfg(feature = "html")]
pub mod page;
pub mod rag;
pub mod retrieval;
pub mod stats;
pub mod system;
pub mod text;
#[cfg(feature = "track")]
pub mod track;

pub use error::{Error, Result};
pub use sample::{DatasetRef, Outcome, PromptRef, Provenance, Sample, Score};
