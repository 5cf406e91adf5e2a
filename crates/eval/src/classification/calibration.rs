use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Probabilities given to events, and whether they came true.
///
/// ```
/// use jarre_eval::classification::{Binning, Forecasts};
///
/// let forecasts = Forecasts::new([(0.9, true), (0.9, true), (0.9, false), (0.2, false)])?;
/// assert!((forecasts.brier().expect("there are forecasts") - (0.01 + 0.01 + 0.81 + 0.04) / 4.0).abs() < 1e-12);
/// let calibration = forecasts.calibration(Binning::EqualWidth(10)).expect("there are forecasts");
/// assert!((calibration.expected_error - (0.75 * (0.9 - 2.0 / 3.0) + 0.25 * 0.2)).abs() < 1e-12);
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forecasts {
    /// The least likely first.
    sorted: Vec<(f64, bool)>,
}

/// How forecasts are put into bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binning {
    /// This many bins of equal width, each with its upper edge, the first with both (Guo et al. 2017).
    EqualWidth(usize),
    /// At most this many bins of about as many forecasts each (Nguyen and O'Connor 2015). Equal probabilities stay together.
    EqualMass(usize),
}

/// How far probabilities are from frequencies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The bins that hold forecasts, from low to high: the reliability diagram.
    pub bins: Vec<ReliabilityBin>,
    /// The mean gap of the bins, each weighing as much as it has forecasts (ECE, Naeini et al. 2015). Depends on the bins.
    pub expected_error: f64,
    /// The largest gap of a bin (MCE).
    pub maximum_error: f64,
}

/// The forecasts of one bin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// The lowest probability in it.
    pub low: f64,
    /// The highest probability in it.
    pub high: f64,
    /// Forecasts in it.
    pub count: u64,
    /// Their mean probability.
    pub confidence: f64,
    /// The share of them that came true.
    pub accuracy: f64,
}

impl Forecasts {
    /// Probabilities with whether the event came true, in any order.
    ///
    /// # Errors
    /// [`Error::ValueOutOfRange`] for what is no probability.
    pub fn new(forecasts: impl IntoIterator<Item = (f64, bool)>) -> Result<Self> {
        let forecasts: Vec<(f64, bool)> = forecasts.into_iter().collect();
        if let Some((index, (value, _))) = forecasts.iter().enumerate().find(|(_, (value, _))| !(0.0..=1.0).contains(value)) {
            return Err(Error::ValueOutOfRange { index, value: *value, wanted: "a probability is from 0 to 1" });
        }
        Ok(Self::of(forecasts))
    }

    /// Probabilities that are known to be some.
    pub(super) fn of(mut forecasts: Vec<(f64, bool)>) -> Self {
        forecasts.sort_by(|left, right| left.0.total_cmp(&right.0));
        Self { sorted: forecasts }
    }

    /// The mean negative natural logarithm of the probability given to what happened. Infinite where that was 0 once; `None` without
    /// forecasts.
    pub fn log_loss(&self) -> Option<f64> {
        self.mean(|(probability, happened)| if happened { -probability.ln() } else { -(-probability).ln_1p() })
    }

    /// The mean square of probability less outcome (Brier 1950), from 0 to 1; `None` without forecasts.
    pub fn brier(&self) -> Option<f64> {
        self.mean(|(probability, happened)| (probability - f64::from(u8::from(happened))).powi(2))
    }

    /// How far probabilities are from frequencies; `None` without forecasts or without bins.
    pub fn calibration(&self, binning: Binning) -> Option<Calibration> {
        let bins: Vec<ReliabilityBin> = self.binned(binning).into_iter().filter_map(ReliabilityBin::of).collect();
        let total = self.sorted.len() as f64;
        let expected_error = bins.iter().map(|bin| bin.gap() * bin.count as f64 / total).sum();
        let maximum_error = bins.iter().map(ReliabilityBin::gap).reduce(f64::max)?;
        Some(Calibration { bins, expected_error, maximum_error })
    }

    fn mean(&self, loss: impl Fn((f64, bool)) -> f64) -> Option<f64> {
        let sum: f64 = self.sorted.iter().map(|forecast| loss(*forecast)).sum();
        (!self.sorted.is_empty()).then(|| sum / self.sorted.len() as f64)
    }

    /// The bins in order, empty ones left out.
    fn binned(&self, binning: Binning) -> Vec<&[(f64, bool)]> {
        match binning {
            Binning::EqualWidth(0) | Binning::EqualMass(0) => Vec::new(),
            Binning::EqualWidth(bins) => self.sorted.chunk_by(|left, right| bin_of(left.0, bins) == bin_of(right.0, bins)).collect(),
            Binning::EqualMass(bins) => self.of_equal_mass(bins.min(self.sorted.len())),
        }
    }

    fn of_equal_mass(&self, bins: usize) -> Vec<&[(f64, bool)]> {
        let mut start = 0;
        let mut slices = Vec::new();
        for bin in 1..=bins {
            let last = self.sorted[self.sorted.len() * bin / bins - 1].0;
            let end = self.sorted.partition_point(|(probability, _)| *probability <= last);
            slices.extend(self.sorted.get(start..end).filter(|slice| !slice.is_empty()));
            start = end;
        }
        slices
    }
}

/// The first bin whose upper edge is not below `probability`.
fn bin_of(probability: f64, bins: usize) -> usize {
    let reaches = |bin: &usize| (bin + 1) as f64 / bins as f64 >= probability;
    let near = (probability * bins as f64) as usize;
    // Rounding puts the product at most one bin off.
    (near.saturating_sub(2)..=near).find(reaches).unwrap_or(near)
}

impl ReliabilityBin {
    fn of(forecasts: &[(f64, bool)]) -> Option<Self> {
        let (first, last) = forecasts.first().zip(forecasts.last())?;
        let count = forecasts.len() as f64;
        let confidence = forecasts.iter().map(|(probability, _)| probability).sum::<f64>() / count;
        let accuracy = forecasts.iter().filter(|(_, happened)| *happened).count() as f64 / count;
        Some(Self { low: first.0, high: last.0, count: forecasts.len() as u64, confidence, accuracy })
    }

    fn gap(&self) -> f64 {
        (self.confidence - self.accuracy).abs()
    }
}
