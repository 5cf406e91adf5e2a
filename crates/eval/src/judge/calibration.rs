use serde::{Deserialize, Serialize};

use super::{
    Gate, GatePolicy, JudgeId, Scale,
    agreement::normal,
    gate::{self, Standing},
};
use crate::stats::Interval;

/// What a judge of single answers is worth, as labels by people show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Whose it is. It holds for no other version.
    pub judge: JudgeId,
    /// The scale of judge and labels.
    pub scale: Scale,
    /// From which figure an answer passes.
    pub pass_mark: f64,
    /// The confidence of all intervals.
    pub confidence: f64,
    /// Digest of the labels and the items that they are of.
    pub labels_digest: String,
    /// Labels.
    pub n: usize,
    /// Answers on which the judge had no verdict that could be read; they are in none of the figures below.
    pub unscored: usize,
    /// Answers for which it could not be reached; likewise.
    pub failed: usize,
    /// Passes and fails of label and judge.
    pub confusion: Confusion,
    /// How often they say the same of passing.
    pub accuracy: Rate,
    /// The true positive rate: of the answers that pass by the labels, those that the judge lets pass.
    pub tpr: Rate,
    /// The true negative rate: of the answers that fail by the labels, those that the judge lets fail.
    pub tnr: Rate,
    /// Cohen's kappa of passing. `None` where chance alone would agree always.
    pub kappa: Option<Coefficient>,
    /// Kappa of the figures with quadratic weights, on scales of several steps.
    pub weighted_kappa: Option<Coefficient>,
    /// Krippendorff's alpha of the figures: nominal, ordinal or interval as the scale is.
    pub alpha: Option<f64>,
    /// How likely two judgements of the same answer differ, over the answers that were judged several times.
    pub flip_rate: Option<f64>,
    /// The correlation of the judge's figures with the logarithm of the answer's length.
    pub length_correlation: Option<f64>,
    /// That of the labels: length can be a merit, and only what the judge has more of is its bias.
    pub label_length_correlation: Option<f64>,
    /// The kappa of passing that the best rule of length alone reaches. `None` where none is better than chance.
    pub length_kappa: Option<f64>,
}

/// Counts of passes and fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Both pass it.
    pub true_pass: u64,
    /// Only the judge passes it.
    pub false_pass: u64,
    /// Only the label passes it.
    pub false_fail: u64,
    /// Neither passes it.
    pub true_fail: u64,
}

/// A share of trials, with Wilson's interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Trials that succeeded.
    pub successes: u64,
    /// Trials.
    pub trials: u64,
    /// Where the true share lies; 0 to 1 without trials.
    pub interval: Interval,
}

/// A coefficient of agreement: 1 for always, 0 for what chance gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coefficient {
    /// As measured.
    pub value: f64,
    /// Where the true one lies.
    pub interval: Interval,
}

/// A pass rate as labels would give it, worked out from the judge's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorrectedRate {
    /// The rate, kept within 0 and 1.
    pub rate: f64,
    /// Its standard error, from the answers judged and from the labels behind TPR and TNR.
    pub standard_error: f64,
    /// Where the true rate lies.
    pub interval: Interval,
}

impl Rate {
    /// The share; `None` without trials.
    pub fn share(&self) -> Option<f64> {
        (self.trials > 0).then(|| self.successes as f64 / self.trials as f64)
    }

    /// The variance of the share.
    fn variance(&self) -> Option<f64> {
        self.share().map(|share| share * (1.0 - share) / self.trials as f64)
    }
}

impl Calibration {
    /// Whether `judge`, as it is now, is another than the one that was calibrated.
    pub fn is_stale(&self, judge: &JudgeId) -> bool {
        self.judge != *judge
    }

    /// Whether decisions may rest on `judge`.
    pub fn gate(&self, judge: &JudgeId, policy: &GatePolicy) -> Gate {
        let labels = self.n - self.unscored - self.failed;
        let kappa = if self.scale.is_ordinal() { self.weighted_kappa } else { self.kappa };
        let by_length = self.kappa.zip(self.length_kappa);
        gate::decide(&Standing { calibrated: &self.judge, labels, kappa, by_length }, judge, policy)
    }

    /// The share of the answers without a verdict that could be read.
    pub fn unscored_rate(&self) -> f64 {
        self.unscored as f64 / self.n as f64
    }

    /// The rate at which answers pass, where the judge let `passed` of `judged` pass:
    /// `(p + TNR - 1) / (TPR + TNR - 1)` (Rogan and Gladen 1978). `None` where the judge does no better than chance (`TPR + TNR <= 1`), or
    /// nothing was judged.
    ///
    /// The standard error is that of the delta method: all three rates are estimates. Other answers than those of the calibration must be
    /// as hard to judge as those were.
    ///
    /// # Panics
    /// Where more passed than were judged.
    pub fn corrected_rate(&self, passed: u64, judged: u64) -> Option<CorrectedRate> {
        assert!(passed <= judged, "{passed} of {judged} cannot pass");
        let (tpr, tnr) = (self.tpr.share()?, self.tnr.share()?);
        let informed = tpr + tnr - 1.0;
        if judged == 0 || informed <= 0.0 {
            return None;
        }
        let observed = passed as f64 / judged as f64;
        let raw = (observed + tnr - 1.0) / informed;
        let rate = raw.clamp(0.0, 1.0);
        let of_labels = rate.powi(2) * self.tpr.variance()? + (1.0 - rate).powi(2) * self.tnr.variance()?;
        let standard_error = (observed * (1.0 - observed) / judged as f64 + of_labels).sqrt() / informed;
        let mut interval = normal(raw, standard_error, self.confidence, 0.0, 1.0);
        // A rate outside of 0 to 1 moves the whole interval out; what is left of it is its end.
        interval.low = interval.low.min(1.0);
        interval.high = interval.high.max(0.0);
        Some(CorrectedRate { rate, standard_error, interval })
    }
}
