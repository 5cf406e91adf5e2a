//! Estimates with their uncertainty, and comparisons one can decide from.

mod bootstrap;
mod normal;
mod proportion;
mod rng;

pub use bootstrap::{Bootstrap, Interval, MeanEstimate, PairedDifference};
pub use proportion::wilson;
