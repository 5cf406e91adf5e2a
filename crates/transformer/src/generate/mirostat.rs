use std::f64::consts::LN_2;

use super::MirostatParams;
use super::candidates::{Candidate, Candidates};
use super::setting::within;
use crate::error::Result;

/// Mirostat 2.0 (arXiv 2007.14966): tokens of more surprise than `mu` bits are dropped, and `mu` moves against the error of what was drawn,
/// so that the mean surprise comes to `tau`.
///
/// Surprise is that of a token among those that are left, as in the authors' code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mirostat {
    tau: f64,
    eta: f64,
    mu: f64,
}

impl Mirostat {
    /// Starts at `mu = 2 tau`.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) where a value is out of range.
    pub(super) fn new(params: MirostatParams) -> Result<Self> {
        let tau = f64::from(within("mirostat.tau", params.tau, f32::MIN_POSITIVE..=f32::MAX, "a number above 0")?);
        let eta = f64::from(within("mirostat.eta", params.eta, f32::MIN_POSITIVE..=1.0, "above 0 and at most 1")?);
        Ok(Self { tau, eta, mu: 2.0 * tau })
    }

    /// Drops what is too surprising; the likeliest token stays.
    pub(super) fn apply(&self, candidates: &mut Candidates) {
        candidates.keep_above(candidates.log_sum_exp() - self.mu * LN_2);
    }

    /// Learns from the token that was drawn of `candidates`.
    pub(super) fn observe(&mut self, drawn: Candidate, candidates: &Candidates) {
        let surprise = (candidates.log_sum_exp() - f64::from(drawn.logit)) / LN_2;
        self.mu -= self.eta * (surprise - self.tau);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Sampler, SamplingParams};

    /// Logits of the Zipf distribution `p(i) ~ 1 / i`.
    fn zipf(vocab_size: usize) -> Vec<f32> {
        (1..=vocab_size).map(|rank| -(rank as f32).ln()).collect()
    }

    /// Surprise is measured beside the sampler, by the distribution that it says it draws from.
    fn mean_surprise(tau: f32, eta: f32, count: usize) -> f64 {
        let logits = zipf(5000);
        let mut sampler = Sampler::new(&SamplingParams::default().with_mirostat(tau, eta).with_seed(1), logits.len()).unwrap();
        let mut surprise = || {
            let distribution = sampler.distribution(&logits).unwrap();
            let drawn = sampler.sample(&logits).unwrap().id;
            let (_, p) = distribution.into_iter().find(|&(id, _)| id == drawn).expect("drawn tokens are in the distribution");
            -f64::from(p).log2()
        };
        (0..count / 4).for_each(|_| _ = surprise());
        (0..count).map(|_| surprise()).sum::<f64>() / count as f64
    }

    /// The mean error of n draws is the change of `mu` over `n eta`, and `mu` stays within a few bits of where it settles.
    #[test]
    fn mean_surprise_comes_to_tau() {
        for tau in [2.0, 3.5, 5.0] {
            let mean = mean_surprise(tau, 0.1, 2000);
            assert!((mean - f64::from(tau)).abs() < 0.06, "{mean} bits for {tau}");
        }
    }

    /// Of probabilities 1/2, 1/4, 1/8, 1/8 with `mu` 2 the first two stay, at 2/3 and 1/3. Drawing the first is log2(3/2) = 0.585 bits of
    /// surprise, 0.415 below `tau`, so that `mu` rises by half of that.
    #[test]
    fn one_step_by_hand() {
        let mut mirostat = Mirostat::new(MirostatParams { tau: 1.0, eta: 0.5 }).unwrap();
        let mut candidates = Candidates::default();
        candidates.refill(&[0.5_f32, 0.25001, 0.125, 0.125].map(f32::ln));
        candidates.settle().unwrap();
        mirostat.apply(&mut candidates);
        assert_eq!(candidates.entries().len(), 2);
        mirostat.observe(candidates.entries()[0], &candidates);
        assert!((mirostat.mu - 2.207_52).abs() < 1e-4, "{}", mirostat.mu);
    }

    #[test]
    fn the_likeliest_stays_where_all_surprise() {
        let mirostat = Mirostat::new(MirostatParams { tau: 0.01, eta: 0.1 }).unwrap();
        let mut candidates = Candidates::default();
        candidates.refill(&[1.0, 1.0, 1.5, 1.0]);
        candidates.settle().unwrap();
        mirostat.apply(&mut candidates);
        assert_eq!(candidates.entries(), [Candidate { id: 2, logit: 0.0 }]);
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        let message = |tau, eta| Mirostat::new(MirostatParams { tau, eta }).unwrap_err().to_string();
        assert_eq!(message(0.0, 0.1), "mirostat.tau is 0; it has to be a number above 0");
        assert_eq!(message(f32::NAN, 0.1), "mirostat.tau is NaN; it has to be a number above 0");
        assert_eq!(message(1.0, 1.5), "mirostat.eta is 1.5; it has to be above 0 and at most 1");
    }
}
