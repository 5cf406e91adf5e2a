use serde::{Deserialize, Serialize};

use super::{Interval, distribution::normal, interval::check_confidence};
use crate::{Error, Result};

/// How a judge that says yes or no did on items whose truth is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgeCalibration {
    /// True items that it called true.
    pub true_positives: u64,
    /// True items that it called false.
    pub false_negatives: u64,
    /// False items that it called false.
    pub true_negatives: u64,
    /// False items that it called true.
    pub false_positives: u64,
}

/// A rate as a judge saw it, and as it is once the judge's own errors are taken out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorrectedRate {
    /// The share that the judge called true.
    pub observed: f64,
    /// The true share, by Rogan and Gladen (1978): `(p + TNR - 1) / (TPR + TNR - 1)`, moved into 0 to 1.
    pub rate: f64,
    /// Of the rate before it was moved, from the sizes of the sample and of both parts of the calibration set.
    pub standard_error: f64,
    /// By Lang and Reiczigel, "Confidence limits for prevalence of disease adjusted for estimated sensitivity and specificity" (2014), which
    /// keeps its coverage for small calibration sets and where the judge made no error on one.
    pub interval: Interval,
}

impl JudgeCalibration {
    /// The share of true items that it called true (TPR); `None` without true items.
    pub fn sensitivity(&self) -> Option<f64> {
        share(self.true_positives, self.false_negatives)
    }

    /// The share of false items that it called false (TNR); `None` without false items.
    pub fn specificity(&self) -> Option<f64> {
        share(self.true_negatives, self.false_positives)
    }

    /// What `positives` of `trials` verdicts say of the true rate.
    ///
    /// ```
    /// use jarre_eval::stats::JudgeCalibration;
    ///
    /// let judge = JudgeCalibration { true_positives: 90, false_negatives: 10, true_negatives: 80, false_positives: 20 };
    /// let corrected = judge.corrected_rate(550, 1000, 0.95)?;
    /// assert!((corrected.rate - 0.5).abs() < 1e-12);
    /// assert!(corrected.interval.contains(0.45) && !corrected.interval.contains(0.3));
    /// # Ok::<(), jarre_eval::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ImpossibleProportion`]; [`Error::EmptySample`] without trials; [`Error::Undefined`] where the calibration set lacks true or
    /// false items, or where the judge tells them apart no better than chance.
    ///
    /// # Panics
    /// Where `confidence` is not between 0 and 1, both exclusive.
    pub fn corrected_rate(&self, positives: u64, trials: u64, confidence: f64) -> Result<CorrectedRate> {
        check_confidence(confidence);
        if positives > trials {
            return Err(Error::ImpossibleProportion { successes: positives, trials });
        }
        if trials == 0 {
            return Err(Error::EmptySample);
        }
        let observed = Share { part: positives as f64, whole: trials as f64 };
        let plain = Correction::new(observed, self.hits(), self.rejections())?;
        Ok(CorrectedRate {
            observed: observed.value(),
            rate: plain.rate().clamp(0.0, 1.0),
            standard_error: plain.variance().sqrt(),
            interval: self.interval(observed, normal::critical(confidence))?,
        })
    }

    fn hits(&self) -> Share {
        Share { part: self.true_positives as f64, whole: self.true_positives as f64 + self.false_negatives as f64 }
    }

    fn rejections(&self) -> Share {
        Share { part: self.true_negatives as f64, whole: self.true_negatives as f64 + self.false_positives as f64 }
    }

    fn interval(&self, observed: Share, z: f64) -> Result<Interval> {
        let (hits, rejections) = (self.hits().with(1.0), self.rejections().with(1.0));
        let correction = Correction::new(observed.with(z * z / 2.0), hits, rejections)?;
        let rate = correction.rate();
        let shift = 2.0 * z * z * (rate * hits.variance() - (1.0 - rate) * rejections.variance());
        Ok(Interval::around(rate + shift, z * correction.variance().sqrt()).clamp(0.0, 1.0))
    }
}

#[derive(Clone, Copy)]
struct Share {
    part: f64,
    whole: f64,
}

impl Share {
    /// With as many imagined successes as failures.
    fn with(self, each: f64) -> Self {
        Self { part: self.part + each, whole: self.whole + 2.0 * each }
    }

    fn value(self) -> f64 {
        self.part / self.whole
    }

    fn variance(self) -> f64 {
        self.value() * (1.0 - self.value()) / self.whole
    }
}

struct Correction {
    observed: Share,
    hits: Share,
    rejections: Share,
    /// TPR + TNR - 1, by Youden.
    informedness: f64,
}

impl Correction {
    fn new(observed: Share, hits: Share, rejections: Share) -> Result<Self> {
        if hits.whole == 0.0 || rejections.whole == 0.0 {
            return Err(Error::Undefined("the calibration set needs true and false items; label some of both".to_owned()));
        }
        let informedness = hits.value() + rejections.value() - 1.0;
        if informedness <= 0.0 {
            return Err(Error::Undefined("the judge tells true from false no better than chance; use another".to_owned()));
        }
        Ok(Self { observed, hits, rejections, informedness })
    }

    fn rate(&self) -> f64 {
        (self.observed.value() + self.rejections.value() - 1.0) / self.informedness
    }

    fn variance(&self) -> f64 {
        let rate = self.rate();
        let sum = self.observed.variance() + rate.powi(2) * self.hits.variance() + (1.0 - rate).powi(2) * self.rejections.variance();
        sum / self.informedness.powi(2)
    }
}

fn share(part: u64, rest: u64) -> Option<f64> {
    let whole = part as f64 + rest as f64;
    (whole > 0.0).then(|| part as f64 / whole)
}
