//! Estimates with their uncertainty, and comparisons one can decide from.
//!
//! - How certain is a figure? [`Mean`] by the t distribution for items drawn one by one, in clusters or within strata ([`Design`]);
//!   [`wilson`] for shares; [`Repeats`] for items answered several times; [`Bootstrap`] for any statistic.
//! - Which of two runs is better? [`PairedMeans`] and [`BinaryPairs`]; [`Question`] puts the answer into words, [`NonInferiority`] holds it
//!   against a margin, [`Power`] tells how many items it takes.
//! - Many tests at once: [`holm`], [`benjamini_hochberg`].
//! - Judges: [`Confusion`] and [`Ratings`] for agreement, [`JudgeCalibration`] and [`RectifiedMean`] for what a judge's figures are worth.

mod agreement;
mod binary;
mod bootstrap;
mod corrected_rate;
mod design;
mod distribution;
mod interval;
mod mean;
mod multiplicity;
mod non_inferiority;
mod paired;
mod power;
mod proportion;
mod rectified_mean;
mod repeats;
mod rng;
mod values;
mod verdict;

pub use agreement::{Confusion, Ratings, Scale, Weights};
pub use binary::{BinaryPairs, ChiSquared, McNemar};
pub use bootstrap::{Bootstrap, BootstrapEstimate, MeanEstimate, PairedDifference, Percentiles};
pub use corrected_rate::{CorrectedRate, JudgeCalibration};
pub use design::{Design, Groups};
pub use interval::Interval;
pub use mean::Mean;
pub use multiplicity::{SignificantCounts, benjamini_hochberg, holm};
pub use non_inferiority::NonInferiority;
pub use paired::PairedMeans;
pub use power::{DifferenceVariance, Power};
pub use proportion::wilson;
pub use rectified_mean::RectifiedMean;
pub use repeats::Repeats;
pub use verdict::{Direction, Finding, Needed, Question, Unit, Verdict};

pub(crate) use distribution::normal;
#[cfg(feature = "run")]
pub(crate) use rng::SplitMix64;
pub(crate) use values::correlation;
