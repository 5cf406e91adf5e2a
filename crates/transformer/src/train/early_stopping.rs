use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Ends a training whose validation loss no longer falls.
///
/// It counts evaluations, not steps: `patience` of them in a row without an improvement of more than `min_delta` on the best loss so far end
/// the training. The whole state is in here and can be saved with a checkpoint.
///
/// ```
/// # use jarre_transformer::train::{EarlyStopping, Verdict};
/// # use std::num::NonZeroU64;
/// let mut stopping = EarlyStopping::new(NonZeroU64::MIN);
/// assert_eq!(stopping.observe(100, 2.5), Verdict::Improved);
/// assert_eq!(stopping.observe(200, 2.7), Verdict::Stop);
/// assert_eq!(stopping.best().map(|best| best.step), Some(100));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    patience: NonZeroU64,
    min_delta: f64,
    best: Option<Best>,
    /// Evaluations since the best.
    waited: u64,
}

/// The lowest validation loss so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// Where it was measured.
    pub step: u64,
    /// The loss.
    pub loss: f64,
}

/// What an evaluation means for the training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The best so far: worth keeping.
    Improved,
    /// Not better, but not for long enough.
    GoOn,
    /// Patience has run out.
    Stop,
}

impl EarlyStopping {
    /// Stops after `patience` evaluations in a row without an improvement, however small.
    pub fn new(patience: NonZeroU64) -> Self {
        Self { patience, min_delta: 0.0, best: None, waited: 0 }
    }

    /// Takes a loss for an improvement only where it is more than `min_delta` below the best.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] where it is negative or not finite.
    pub fn with_min_delta(mut self, min_delta: f64) -> Result<Self> {
        if !(min_delta.is_finite() && min_delta >= 0.0) {
            return Err(Error::setting("the smallest improvement that counts", min_delta, "finite and not negative"));
        }
        self.min_delta = min_delta;
        Ok(self)
    }

    /// Takes in the validation loss of `step`. A loss that is not finite is no improvement.
    pub fn observe(&mut self, step: u64, loss: f64) -> Verdict {
        let improved = loss.is_finite() && self.best.is_none_or(|best| loss < best.loss - self.min_delta);
        if improved {
            self.best = Some(Best { step, loss });
            self.waited = 0;
            return Verdict::Improved;
        }
        self.waited = self.waited.saturating_add(1);
        if self.should_stop() { Verdict::Stop } else { Verdict::GoOn }
    }

    /// Whether patience has run out; a training that is resumed asks before its first step.
    pub fn should_stop(&self) -> bool {
        self.waited >= self.patience.get()
    }

    /// The best evaluation; none before the first finite loss.
    pub fn best(&self) -> Option<Best> {
        self.best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stopping(patience: u64, min_delta: f64) -> EarlyStopping {
        EarlyStopping::new(NonZeroU64::new(patience).unwrap()).with_min_delta(min_delta).unwrap()
    }

    #[test]
    fn patience_counts_evaluations_in_a_row_and_an_improvement_restores_it() {
        use Verdict::{GoOn, Improved, Stop};
        let mut stopping = stopping(3, 0.1);
        let losses = [3.0, 2.95, 2.9, 2.8, 2.75, 2.71, 2.70, 9.0];
        let verdicts: Vec<Verdict> = (0..).zip(losses).map(|(step, loss)| stopping.observe(step, loss)).collect();
        // 2.9 is not *more* than 0.1 below 3.0 in binary either: 3.0 - 0.1 is the nearest double to 2.9.
        assert_eq!(verdicts, [Improved, GoOn, GoOn, Improved, GoOn, GoOn, Stop, Stop]);
        assert_eq!(stopping.best(), Some(Best { step: 3, loss: 2.8 }));
        assert_eq!(stopping.observe(8, 1.0), Improved);
        assert!(!stopping.should_stop());
    }

    #[test]
    fn losses_that_are_not_finite_never_improve() {
        let mut stopping = stopping(4, 0.0);
        for loss in [f64::NAN, f64::NEG_INFINITY, f64::INFINITY] {
            assert_eq!(stopping.observe(1, loss), Verdict::GoOn, "{loss}");
        }
        assert_eq!((stopping.best(), stopping.observe(2, f64::NAN)), (None, Verdict::Stop));
    }

    #[test]
    fn a_state_that_was_saved_goes_on_as_if_it_had_not_been() {
        let mut undisturbed = stopping(2, 0.01);
        let mut saved = undisturbed;
        for (step, loss) in (0..).zip([4.0 / 3.0, 1.1, 1.3, 0.1 + 0.2, f64::NAN, 0.5]) {
            saved = serde_json::from_str(&serde_json::to_string(&saved).unwrap()).unwrap();
            assert_eq!(saved.observe(step, loss), undisturbed.observe(step, loss), "step {step}");
        }
        assert_eq!(saved, undisturbed);
        assert!(saved.should_stop());
        assert!(serde_json::from_str::<EarlyStopping>(r#"{"patience":0,"min_delta":0.0,"best":null,"waited":0}"#).is_err());
    }

    #[test]
    fn an_impossible_delta_is_refused() {
        for delta in [-1e-9, f64::NAN, f64::INFINITY] {
            assert!(EarlyStopping::new(NonZeroU64::MIN).with_min_delta(delta).is_err(), "{delta}");
        }
    }
}
