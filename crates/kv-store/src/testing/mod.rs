//! What stores are tested with: the conformance suite, a disk that loses, tears and fails, a checker of linearizability, schedules of
//! network faults, and hosts in simulated time.

mod conformance;
#[cfg(feature = "embedded")]
mod disk;
pub mod linearizability;
mod model;
pub mod nemesis;
#[cfg(feature = "cluster")]
pub mod simulation;

pub use conformance::{CHECKS, Check, Context, Subject, conformance};
#[cfg(feature = "embedded")]
pub use disk::{Disk, Fault, Kept};
