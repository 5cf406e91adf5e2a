use std::{cmp::Ordering, fmt};

use rand::{Rng, RngExt};

use super::exp::{exp, for_each_exp, max, sum};
use super::log_softmax::distance;
use crate::error::{Error, Result};

/// Stretches of keys whose weights are summed apart, how many there are in a nat, and what lies beyond them in the last.
const STRETCHES: usize = 1024;
const STRETCHES_A_NAT: f64 = 16.0;

/// Tokens whose weights are summed together, so that a draw can pass them over.
const PART: usize = 512;

/// A token that may be chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) id: u32,
    pub(super) logit: f32,
}

/// The tokens that may be chosen: the buffer that every step of a sampler works on.
///
/// Two lives: from [`refill`](Self::refill) on it holds the whole vocabulary, token `i` at place `i`, logits as they are. From
/// [`settle`](Self::settle) on it holds at least one token, in any order, all logits finite and at most 0.
#[derive(Clone, Default)]
pub(super) struct Candidates {
    entries: Vec<Candidate>,
}

impl Candidates {
    /// Takes the logits of a vocabulary.
    pub(super) fn refill(&mut self, logits: &[f32]) {
        self.entries.clear();
        self.entries.extend((0..).zip(logits).map(|(id, &logit)| Candidate { id, logit }));
    }

    /// The logit of a token, before [`settle`](Self::settle).
    pub(super) fn logit_mut(&mut self, id: u32) -> &mut f32 {
        &mut self.entries[id as usize].logit
    }

    /// Bans all tokens but `ids`, which are sorted, before [`settle`](Self::settle).
    pub(super) fn allow(&mut self, ids: &[u32]) {
        let mut kept = Vec::with_capacity(ids.len());
        kept.extend(ids.iter().map(|&id| self.entries[id as usize]));
        self.entries.clear();
        self.entries.extend(kept);
    }

    /// Bans tokens that `allows` does not name, before [`settle`](Self::settle).
    pub(super) fn keep_ids(&mut self, allows: impl Fn(u32) -> bool) {
        self.entries.retain(|entry| allows(entry.id));
    }

    /// Puts the highest logit at 0 and lets go of banned tokens. Where logits are infinite, only those tokens are left, equally likely.
    ///
    /// # Errors
    /// [`Error::Logits`] where no token is left.
    pub(super) fn settle(&mut self) -> Result<()> {
        let max = self.max();
        if max == f32::NEG_INFINITY {
            let reason = "`logit_bias`, `allowed_token_ids`, `min_tokens` and a grammar leave no token; loosen one of them";
            return Err(Error::Logits(reason.to_owned()));
        }
        for entry in &mut self.entries {
            entry.logit = distance(entry.logit, max);
        }
        if self.entries.iter().any(|entry| entry.logit == f32::NEG_INFINITY) {
            self.entries.retain(|entry| entry.logit > f32::NEG_INFINITY);
        }
        Ok(())
    }

    pub(super) fn entries(&self) -> &[Candidate] {
        &self.entries
    }

    /// The likeliest token, that of the lowest id among equals.
    pub(super) fn likeliest(&self) -> Candidate {
        self.entries.iter().copied().min_by(likelier).expect("settled candidates are never empty")
    }

    /// The logarithm of the sum of e to the logits.
    pub(super) fn log_sum_exp(&self) -> f64 {
        let max = self.max();
        f64::from(max) + sum(&self.entries, |entry| exp(entry.logit - max)).ln()
    }

    /// The entropy of the tokens' probabilities, in nats, where `log_sum_exp` is that of the logits.
    pub(super) fn entropy(&self, log_sum_exp: f64) -> f64 {
        let normaliser = log_sum_exp as f32;
        log_sum_exp - sum(&self.entries, |entry| exp(entry.logit - normaliser) * entry.logit)
    }

    /// Keeps the tokens of at least this logit, and in any case the likeliest.
    pub(super) fn keep_above(&mut self, least: f64) {
        let least = least.min(f64::from(self.max()));
        self.entries.retain(|entry| f64::from(entry.logit) >= least);
    }

    /// Keeps the `k` likeliest tokens, `k` being above 0; sorts them where it lets go of any.
    pub(super) fn keep_likeliest(&mut self, k: usize) {
        if k >= self.entries.len() {
            return;
        }
        // The best seen so far move to the front, at most twice as many as wanted.
        let (mut kept, mut bound) = (0, f32::NEG_INFINITY);
        for place in 0..self.entries.len() {
            if self.entries[place].logit > bound || kept < k {
                self.entries[kept] = self.entries[place];
                kept += 1;
            }
            if kept == k.saturating_mul(2) {
                self.entries[..kept].select_nth_unstable_by(k - 1, likelier);
                kept = k;
                bound = self.entries[k - 1].logit;
            }
        }
        self.entries.truncate(kept);
        self.entries.sort_unstable_by(likelier);
        self.entries.truncate(k);
    }

    /// Keeps the fewest tokens, taken in ascending order of `key`, the likelier first among equals, that reach the probability `mass`
    /// together; at least one. Keys are not negative.
    ///
    /// Sorted is only the stretch of keys in which the mass is reached.
    pub(super) fn keep_mass(&mut self, mass: f64, key: impl Fn(&Candidate) -> f64) {
        let max = self.max();
        let stretch = |entry: &Candidate| ((key(entry) * STRETCHES_A_NAT) as usize).min(STRETCHES - 1);
        let mut weights = [0.0; STRETCHES];
        for_each_exp(&self.entries, |entry| entry.logit - max, |entry, weight| weights[stretch(entry)] += f64::from(weight));
        let mut left = mass * weights.iter().sum::<f64>();
        let is_last = |weight: &f64| {
            left -= weight;
            left <= 0.0
        };
        let last = weights.iter().position(is_last).unwrap_or(STRETCHES - 1);
        left += weights[last];
        let mut tail: Vec<Candidate> =
            self.entries.extract_if(.., |entry| stretch(entry) >= last).filter(|entry| stretch(entry) == last).collect();
        tail.sort_unstable_by(|a, b| key(a).total_cmp(&key(b)).then_with(|| likelier(a, b)));
        for entry in tail {
            if left <= 0.0 && !self.entries.is_empty() {
                break;
            }
            left -= f64::from(exp(entry.logit - max));
            self.entries.push(entry);
        }
    }

    /// Divides the logits by `temperature`, with the highest at 0.
    pub(super) fn divide(&mut self, temperature: f32) {
        let max = self.max();
        for entry in &mut self.entries {
            // The division of a large difference by a small number may overflow.
            entry.logit = ((entry.logit - max) / temperature).max(f32::MIN);
        }
    }

    /// Draws a token by its probability.
    pub(super) fn draw(&self, rng: &mut impl Rng) -> Candidate {
        let max = self.max();
        let weight = |entry: &Candidate| exp(entry.logit - max);
        let parts: Vec<f64> = self.entries.chunks(PART).map(|part| sum(part, weight)).collect();
        let mut left = rng.random::<f64>() * parts.iter().sum::<f64>();
        for (part, total) in self.entries.chunks(PART).zip(parts) {
            if left >= total {
                left -= total;
                continue;
            }
            for entry in part {
                left -= f64::from(weight(entry));
                if left < 0.0 {
                    return *entry;
                }
            }
        }
        // The draw fell on the rounding error of a sum.
        self.likeliest()
    }

    /// Tokens and their probabilities, the likeliest first, lower ids first among equals.
    pub(super) fn probabilities(&self) -> Vec<(u32, f32)> {
        let normaliser = self.log_sum_exp();
        let mut sorted = self.entries.clone();
        sorted.sort_unstable_by(likelier);
        sorted.into_iter().map(|entry| (entry.id, (f64::from(entry.logit) - normaliser).exp() as f32)).collect()
    }

    /// The highest logit.
    pub(super) fn max(&self) -> f32 {
        max(&self.entries, |entry| entry.logit)
    }
}

impl fmt::Debug for Candidates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Candidates({})", self.entries.len())
    }
}

/// The order of likelihood, lower ids first among equals.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "sorting hands out references")]
pub(super) fn likelier(a: &Candidate, b: &Candidate) -> Ordering {
    b.logit.partial_cmp(&a.logit).expect("settled logits are finite").then(a.id.cmp(&b.id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settled(logits: &[f32]) -> Candidates {
        let mut candidates = Candidates::default();
        candidates.refill(logits);
        candidates.settle().unwrap();
        candidates
    }

    fn ids(candidates: &Candidates) -> Vec<u32> {
        candidates.entries().iter().map(|entry| entry.id).collect()
    }

    #[test]
    fn infinite_logits_are_all_that_is_left() {
        let candidates = settled(&[1.0, f32::INFINITY, f32::NEG_INFINITY, f32::INFINITY]);
        assert_eq!(candidates.entries(), [Candidate { id: 1, logit: 0.0 }, Candidate { id: 3, logit: 0.0 }]);
        assert_eq!(settled(&[f32::MAX, f32::MIN]).likeliest().id, 0);
    }

    #[test]
    fn zeros_of_either_sign_are_equal() {
        assert_eq!(settled(&[-0.0, 0.0]).likeliest().id, 0);
        assert_eq!(settled(&[0.0, -0.0]).likeliest().id, 0);
    }

    #[test]
    fn a_tiny_temperature_leaves_the_likeliest() {
        let mut candidates = settled(&[1.0, 3.0, 2.0, 3.0]);
        candidates.divide(f32::MIN_POSITIVE);
        assert!(candidates.entries()[1].logit.abs() < f32::MIN_POSITIVE);
        assert!(candidates.entries().iter().all(|entry| entry.logit.is_finite()));
        assert!((candidates.log_sum_exp() - std::f64::consts::LN_2).abs() < 1e-9);
    }

    proptest! {
        /// Small whole logits make many ties; large `k` meets the case in which the buffer is never cut.
        #[test]
        fn the_likeliest_are_the_first_of_a_sort(logits in prop::collection::vec((0_i8..20).prop_map(f32::from), 1..300), k in 1_usize..400) {
            let mut sorted = settled(&logits);
            sorted.entries.sort_by(likelier);
            let mut kept = settled(&logits);
            kept.keep_likeliest(k);
            if k >= logits.len() {
                kept.entries.sort_by(likelier);
            }
            prop_assert_eq!(ids(&kept), &ids(&sorted)[..k.min(logits.len())]);
        }

        #[test]
        fn mass_is_taken_from_the_front_of_a_sort(logits in prop::collection::vec(-3.0_f32..3.0, 1..600), mass in 0.01..0.99) {
            let mut sorted = settled(&logits);
            sorted.entries.sort_by(likelier);
            let mut kept = settled(&logits);
            kept.keep_mass(mass, |entry| f64::from(-entry.logit));
            kept.entries.sort_by(likelier);
            let kept = ids(&kept);
            prop_assert_eq!(&kept, &ids(&sorted)[..kept.len()]);
        }
    }
}
