//! How well predicted classes and probabilities fit the true ones.
//!
//! [`ConfusionMatrix`] is for classes, [`BinaryScores`] for scores with a threshold to choose, [`Forecasts`] for probabilities that should
//! mean what they say, and [`ClassProbabilities`] for those over several classes. A figure that is not defined is `None`, never 0 or 1.

mod binary;
mod calibration;
mod confusion;
mod probabilities;

pub use binary::{BinaryScores, OperatingPoint};
pub use calibration::{Binning, Calibration, Forecasts, ReliabilityBin};
pub use confusion::{Average, Averages, ClassScores, ConfusionMatrix, ZeroDivision};
pub use probabilities::ClassProbabilities;
