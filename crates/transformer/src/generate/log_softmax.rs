use std::cmp::Ordering;

use super::exp::{exp, max, sum};
use crate::error::{Error, Result};

/// Log-probabilities of a model's logits, computed where they are asked for.
///
/// Logits of positive infinity share all of the probability.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogSoftmax<'a> {
    logits: &'a [f32],
    max: f32,
    /// The logarithm of the sum of e to the distance from the highest logit.
    log_sum: f64,
}

impl<'a> LogSoftmax<'a> {
    /// # Errors
    /// [`Error::Logits`] where a logit is NaN, or none is above negative infinity.
    pub(super) fn new(logits: &'a [f32]) -> Result<Self> {
        if let Some(id) = logits.iter().position(|logit| logit.is_nan()) {
            return Err(Error::Logits(format!("that of token {id} is NaN; check the weights and the number format")));
        }
        let max = max(logits, |&logit| logit);
        if max == f32::NEG_INFINITY {
            return Err(Error::Logits("none is above negative infinity; check the weights and the mask".to_owned()));
        }
        Ok(Self { logits, max, log_sum: sum(logits, |&logit| exp(distance(logit, max))).ln() })
    }

    /// The log-probability of a token.
    ///
    /// # Panics
    /// Where `id` is beyond the logits.
    pub(super) fn of(&self, id: u32) -> f64 {
        f64::from(distance(self.logits[id as usize], self.max)) - self.log_sum
    }

    /// The likeliest token, that of the lowest id among equals.
    pub(super) fn likeliest(&self) -> u32 {
        let is_highest = |logit: &f32| distance(*logit, self.max) == 0.0;
        self.logits.iter().position(is_highest).expect("the highest logit is one of them") as u32
    }

    /// The `n` likeliest tokens and their log-probabilities, the likeliest first, lower ids first among equals.
    pub(super) fn top(&self, n: usize) -> Vec<(u32, f32)> {
        let n = n.min(self.logits.len());
        if n == 0 {
            return Vec::new();
        }
        // The best seen so far, at most twice as many as wanted: most logits fall below the bound and cost one comparison.
        let mut best: Vec<(u32, f32)> = Vec::with_capacity(2 * n);
        let mut bound = f32::NEG_INFINITY;
        for (id, &logit) in (0..).zip(self.logits) {
            if logit > bound || best.len() < n {
                best.push((id, logit));
            }
            if best.len() == 2 * n {
                best.select_nth_unstable_by(n - 1, likelier);
                best.truncate(n);
                bound = best[n - 1].1;
            }
        }
        best.sort_unstable_by(likelier);
        best.truncate(n);
        best.into_iter().map(|(id, _)| (id, self.of(id) as f32)).collect()
    }
}

/// How far `logit` lies below `max`, which none is above: 0 for both infinite.
#[inline]
pub(super) fn distance(logit: f32, max: f32) -> f32 {
    if logit < max { logit - max } else { 0.0 }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "sorting hands out references")]
fn likelier(a: &(u32, f32), b: &(u32, f32)) -> Ordering {
    b.1.partial_cmp(&a.1).expect("NaN was refused").then(a.0.cmp(&b.0))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "infinities and the logarithm of two are exact")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn infinities_have_a_meaning_and_nan_has_none() {
        let infinite = [f32::INFINITY, 3.0, f32::INFINITY, f32::NEG_INFINITY];
        let shared = LogSoftmax::new(&infinite).unwrap();
        assert_eq!([shared.of(0), shared.of(1), shared.of(3)], [-std::f64::consts::LN_2, f64::NEG_INFINITY, f64::NEG_INFINITY]);
        let error = |logits: &[f32]| LogSoftmax::new(logits).unwrap_err().to_string();
        assert!(error(&[0.0, 1.0, f32::NAN]).contains("token 2 is NaN"));
        assert!(error(&[f32::NEG_INFINITY; 3]).contains("negative infinity"));
        assert!(error(&[]).contains("negative infinity"));
    }

    proptest! {
        #[test]
        fn log_probabilities_are_those_of_the_definition(logits in prop::collection::vec(-30.0_f32..30.0, 1..80), n in 0_usize..90) {
            let normaliser = logits.iter().map(|&logit| f64::from(logit).exp()).sum::<f64>().ln();
            let softmax = LogSoftmax::new(&logits).unwrap();
            for (id, &logit) in (0..).zip(&logits) {
                prop_assert!((softmax.of(id) - (f64::from(logit) - normaliser)).abs() < 1e-5);
            }
            let mut sorted: Vec<u32> = (0..logits.len() as u32).collect();
            sorted.sort_by(|&a, &b| logits[b as usize].total_cmp(&logits[a as usize]));
            let top: Vec<u32> = softmax.top(n).into_iter().map(|(id, _)| id).collect();
            prop_assert_eq!(&top, &sorted[..n.min(logits.len())]);
            prop_assert_eq!(softmax.likeliest(), sorted[0]);
        }

        #[test]
        fn equals_come_in_order_of_their_ids(logits in prop::collection::vec((0_i8..4).prop_map(f32::from), 1..80), n in 1_usize..9) {
            let mut sorted: Vec<u32> = (0..logits.len() as u32).collect();
            sorted.sort_by(|&a, &b| logits[b as usize].total_cmp(&logits[a as usize]));
            let top: Vec<u32> = LogSoftmax::new(&logits).unwrap().top(n).into_iter().map(|(id, _)| id).collect();
            prop_assert_eq!(&top, &sorted[..n.min(logits.len())]);
        }
    }
}
