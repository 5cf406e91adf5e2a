//! Estimates with their uncertainty, and comparisons one can decide from.
//!
//! - How certain is a figure? [`Mean`] by the t distribution for items drawn one by one, in clusters or within strata ([`Design`]);
//!   [`wilson`] for shares; [`Repeats`] for items answered several times; [`Bootstrap`] for any statistic.

mod bootstrap;
mod design;
mod distribution;
mod interval;
mod mean;
mod paired;
mod proportion;
mod repeats;
mod rng;
mod values;

pub use bootstrap::{Bootstrap, BootstrapEstimate, MeanEstimate, PairedDifference, Percentiles};
pub use design::{Design, Groups};
pub use interval::Interval;
pub use mean::Mean;
pub use paired::PairedMeans;
pub use proportion::wilson;
pub use repeats::Repeats;
