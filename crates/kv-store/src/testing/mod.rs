//! What stores are tested with: the conformance suite, and a disk that loses, tears and fails.

mod conformance;
#[cfg(feature = "embedded")]
mod disk;
mod model;

pub use conformance::{CHECKS, Check, Context, Subject, conformance};
#[cfg(feature = "embedded")]
pub use disk::{Disk, Fault, Kept};
