#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod error;
mod fnv;
mod guard;

pub mod content;
pub mod grounding;
pub mod guarded;
pub mod injection;
pub mod json;
pub mod leakage;
pub mod learn;
#[cfg(feature = "log")]
pub mod log;
pub mod moderation;
pub mod pii;
pub mod pipeline;
pub mod scan;
pub mod schema;
pub mod secrets;
pub mod structured;
pub mod topics;

pub use error::{Error, Result};
pub use guard::{Basis, Context, Effect, Finding, Guard, Reach, Scan, Stage};
