//! What stores are tested with: the conformance suite, a disk that loses, tears and fails, a checker of linearizability, schedules of
//! network faults, and load.

mod conformance;
#[cfg(feature = "embedded")]
mod disk;
pub mod linearizability;
pub mod load;
mod model;
pub mod nemesis;

pub use conformance::{CHECKS, Check, Context, Subject, conformance};
#[cfg(feature = "embedded")]
pub use disk::{Disk, Fault, Kept};
