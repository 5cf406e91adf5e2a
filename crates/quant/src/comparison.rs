use crate::error::{Error, Result};

/// Two streams of logits over the same texts: a reference's, and those of a model that stands for it.
///
/// Perplexities are of the tokens that came; the divergence is `KL(reference || other)`
/// ([Kullback and Leibler 1951](https://doi.org/10.1214/aoms/1177729694)), the mean over positions. Sums are in `f64`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Comparison {
    positions: usize,
    reference_nats: f64,
    nats: f64,
    divergence: f64,
    largest_divergence: f64,
    agreements: usize,
}

impl Comparison {
    /// Adds one position: the logits of both models, and the token that came there.
    ///
    /// # Errors
    /// Where they are of different lengths, `target` is beyond them, or they give no distribution: a NaN, or nothing above minus infinity.
    pub fn observe(&mut self, reference: &[f32], other: &[f32], target: usize) -> Result<()> {
        if reference.len() != other.len() || target >= reference.len() {
            return Err(Error::Shape { found: other.len(), rows: 1, columns: reference.len() });
        }
        let (p, q) = (LogSoftmax::of(reference)?, LogSoftmax::of(other)?);
        let divergence: f64 = reference.iter().zip(other).map(|(a, b)| p.term(*a, q.value(*b))).sum();
        self.positions += 1;
        self.reference_nats -= p.value(reference[target]);
        self.nats -= q.value(other[target]);
        self.divergence += divergence.max(0.0);
        self.largest_divergence = self.largest_divergence.max(divergence);
        self.agreements += usize::from(p.best == q.best);
        Ok(())
    }

    /// Adds what another comparison saw.
    pub fn merge(&mut self, other: &Self) {
        self.positions += other.positions;
        self.reference_nats += other.reference_nats;
        self.nats += other.nats;
        self.divergence += other.divergence;
        self.largest_divergence = self.largest_divergence.max(other.largest_divergence);
        self.agreements += other.agreements;
    }

    /// Positions seen.
    pub fn positions(&self) -> usize {
        self.positions
    }

    /// Nats that the reference needed, and the other model.
    pub fn nats(&self) -> [f64; 2] {
        [self.reference_nats, self.nats]
    }

    /// The reference's perplexity; NaN where nothing was seen, as everything below.
    pub fn reference_perplexity(&self) -> f64 {
        self.mean(self.reference_nats).exp()
    }

    /// The other model's perplexity.
    pub fn perplexity(&self) -> f64 {
        self.mean(self.nats).exp()
    }

    /// The mean divergence of a position, in nats.
    pub fn divergence(&self) -> f64 {
        self.mean(self.divergence)
    }

    /// The largest divergence of a position, in nats.
    pub fn largest_divergence(&self) -> f64 {
        self.largest_divergence
    }

    /// Share of positions at which both models have the same most likely token.
    pub fn agreement(&self) -> f64 {
        self.mean(self.agreements as f64)
    }

    fn mean(&self, sum: f64) -> f64 {
        sum / self.positions as f64
    }
}

/// The logarithm of a softmax.
struct LogSoftmax {
    largest: f64,
    log_sum: f64,
    /// The first of the largest logits.
    best: usize,
}

impl LogSoftmax {
    fn of(logits: &[f32]) -> Result<Self> {
        if let Some(index) = logits.iter().position(|x| x.is_nan()) {
            return Err(Error::NotFinite { index });
        }
        let mut best = 0;
        for (index, logit) in logits.iter().enumerate() {
            if *logit > logits[best] {
                best = index;
            }
        }
        let largest = f64::from(logits[best]);
        if !largest.is_finite() {
            return Err(Error::NotFinite { index: best });
        }
        let log_sum = logits.iter().map(|x| (f64::from(*x) - largest).exp()).sum::<f64>().ln();
        Ok(Self { largest, log_sum, best })
    }

    fn value(&self, logit: f32) -> f64 {
        f64::from(logit) - self.largest - self.log_sum
    }

    /// `p (log p - log q)`; nothing where p is 0.
    fn term(&self, logit: f32, log_q: f64) -> f64 {
        let log_p = self.value(logit);
        if log_p == f64::NEG_INFINITY { 0.0 } else { log_p.exp() * (log_p - log_q) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_are_those_made_by_hand() {
        let mut comparison = Comparison::default();
        // 1/4 and 3/4 against 1/2 and 1/2.
        comparison.observe(&[1.0, 1.0 + 3.0_f32.ln()], &[7.0, 7.0], 0).unwrap();
        let expected = 0.25 * 0.5_f64.ln() + 0.75 * 1.5_f64.ln();
        assert!((comparison.divergence() - expected).abs() < 1e-6);
        assert!((comparison.reference_perplexity() - 4.0).abs() < 1e-5 && (comparison.perplexity() - 2.0).abs() < 1e-6);
        assert!(comparison.agreement().abs() < 1e-12);
        comparison.observe(&[1.0, 0.0], &[2.0, 0.0], 0).unwrap();
        assert!((comparison.agreement() - 0.5).abs() < 1e-12 && comparison.positions() == 2);
    }

    #[test]
    fn what_the_reference_rules_out_counts_nothing_and_what_the_other_rules_out_everything() {
        let mut comparison = Comparison::default();
        comparison.observe(&[0.0, f32::NEG_INFINITY], &[0.0, 0.0], 0).unwrap();
        assert!((comparison.divergence() - 2.0_f64.ln()).abs() < 1e-9);
        comparison.observe(&[0.0, 0.0], &[0.0, f32::NEG_INFINITY], 0).unwrap();
        assert!(comparison.divergence().is_infinite());
    }

    #[test]
    fn what_is_no_distribution_is_refused_and_changes_nothing() {
        let mut comparison = Comparison::default();
        for (a, b, target) in [
            (&[0.0, f32::NAN][..], &[0.0, 0.0][..], 0),
            (&[f32::NEG_INFINITY; 2], &[0.0; 2], 0),
            (&[0.0; 2], &[0.0; 3], 0),
            (&[0.0; 2], &[0.0; 2], 2),
            (&[], &[], 0),
        ] {
            assert!(comparison.observe(a, b, target).is_err(), "{a:?} {b:?} {target}");
        }
        assert_eq!(comparison, Comparison::default());
        assert!(comparison.perplexity().is_nan());
    }

    proptest! {
        #[test]
        fn a_model_does_not_diverge_from_itself_and_merging_is_observing(
            rows in prop::collection::vec((prop::collection::vec(-30.0_f32..30.0, 5), prop::collection::vec(-30.0_f32..30.0, 5), 0_usize..5), 1..20),
            cut in 0_usize..20,
        ) {
            let (mut all, mut parts, mut own) = (Comparison::default(), [Comparison::default(); 2], Comparison::default());
            for (index, (a, b, target)) in rows.iter().enumerate() {
                all.observe(a, b, *target).unwrap();
                parts[usize::from(index >= cut)].observe(a, b, *target).unwrap();
                own.observe(a, a, *target).unwrap();
            }
            let [mut first, second] = parts;
            first.merge(&second);
            prop_assert_eq!(first.positions(), all.positions());
            prop_assert!((first.divergence() - all.divergence()).abs() < 1e-9 && all.divergence() >= 0.0);
            prop_assert!(own.divergence() < 1e-9 && (own.agreement() - 1.0).abs() < 1e-12);
            prop_assert!((own.perplexity() - all.reference_perplexity()).abs() < 1e-6 * own.perplexity());
        }
    }
}
