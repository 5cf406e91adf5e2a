use super::SamplingParams;
use super::candidates::Candidates;
use super::exp::sum;
use super::setting::within;
use crate::error::Result;

/// A step that lets go of unlikely tokens. At least one token stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Truncation {
    TopNSigma(f64),
    TopK(usize),
    TypP(f64),
    TopP(f64),
    MinP(f64),
}

impl Truncation {
    /// The steps that `params` asks for, in llama.cpp's order; those that would keep everything are left out.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`](crate::Error::InvalidSetting) where a value is out of range.
    pub(super) fn chain(params: &SamplingParams) -> Result<Vec<Self>> {
        let share = |name, value| within(name, value, f32::MIN_POSITIVE..=1.0, "above 0 and at most 1").map(f64::from);
        let sigmas = params.top_n_sigma.map(|n| within("top_n_sigma", n, f32::MIN_POSITIVE..=f32::MAX, "a number above 0")).transpose()?;
        let typical = share("typ_p", params.typ_p)?;
        let nucleus = share("top_p", params.top_p)?;
        let least = f64::from(within("min_p", params.min_p, 0.0..=1.0, "in [0, 1]")?);
        let steps = [
            sigmas.map(|n| Self::TopNSigma(f64::from(n))),
            (params.top_k > 0).then_some(Self::TopK(params.top_k as usize)),
            (typical < 1.0).then_some(Self::TypP(typical)),
            (nucleus < 1.0).then_some(Self::TopP(nucleus)),
            (least > 0.0).then_some(Self::MinP(least)),
        ];
        Ok(steps.into_iter().flatten().collect())
    }

    pub(super) fn apply(self, candidates: &mut Candidates) {
        match self {
            Self::TopNSigma(n) => top_n_sigma(candidates, n),
            Self::TopK(k) => candidates.keep_likeliest(k),
            Self::TypP(p) => typ_p(candidates, p),
            Self::TopP(p) => candidates.keep_mass(p, |entry| f64::from(-entry.logit)),
            Self::MinP(p) => candidates.keep_above(f64::from(candidates.max()) + p.ln()),
        }
    }
}

/// Keeps logits of at least `max - n sigma`, sigma being the standard deviation of all logits that are left.
fn top_n_sigma(candidates: &mut Candidates, n: f64) {
    let entries = candidates.entries();
    let count = entries.len() as f64;
    let mean = sum(entries, |entry| entry.logit) / count;
    // The square of a logit that stands for a ban, such as -1e30, is no `f32`.
    let variance = entries.iter().map(|entry| (f64::from(entry.logit) - mean).powi(2)).sum::<f64>() / count;
    candidates.keep_above(f64::from(candidates.max()) - n * variance.sqrt());
}

/// Takes tokens in the order of `|-ln p - H|`, which is the distance of a logit from `ln sum exp - H`.
fn typ_p(candidates: &mut Candidates, p: f64) {
    let normaliser = candidates.log_sum_exp();
    let typical = normaliser - candidates.entropy(normaliser);
    candidates.keep_mass(p, |entry| (f64::from(entry.logit) - typical).abs());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Error;

    fn kept(logits: &[f32], step: Truncation) -> Vec<u32> {
        let mut candidates = Candidates::default();
        candidates.refill(logits);
        candidates.settle().unwrap();
        step.apply(&mut candidates);
        let mut ids: Vec<u32> = candidates.entries().iter().map(|entry| entry.id).collect();
        ids.sort_unstable();
        ids
    }

    /// Logits of these probabilities.
    fn logits(probabilities: &[f32]) -> Vec<f32> {
        probabilities.iter().map(|p| p.ln() + 7.0).collect()
    }

    #[test]
    fn each_step_keeps_what_its_paper_says() {
        let logits = logits(&[0.05, 0.4, 0.1, 0.25, 0.2]);
        assert_eq!(kept(&logits, Truncation::TopK(2)), [1, 3]);
        assert_eq!(kept(&logits, Truncation::TopP(0.6)), [1, 3]);
        assert_eq!(kept(&logits, Truncation::TopP(0.7)), [1, 3, 4]);
        assert_eq!(kept(&logits, Truncation::MinP(0.45)), [1, 3, 4]);
        assert_eq!(kept(&logits, Truncation::MinP(1.0)), [1]);
        // H = 1.415 nats; surprises 3.00, 0.92, 2.30, 1.39, 1.61: token 3 is nearest, then 4, then 1.
        assert_eq!(kept(&logits, Truncation::TypP(0.2)), [3]);
        assert_eq!(kept(&logits, Truncation::TypP(0.3)), [3, 4]);
        assert_eq!(kept(&logits, Truncation::TypP(0.5)), [1, 3, 4]);
        // Standard deviation 1.5 of [0, 0, 0, 3, 3, 3] about the mean: 3 - 1.9 * 1.5 = 0.15, and 3 - 2.1 * 1.5 < 0.
        let two_levels = [0.0, 0.0, 0.0, 3.0, 3.0, 3.0];
        assert_eq!(kept(&two_levels, Truncation::TopNSigma(1.9)), [3, 4, 5]);
        assert_eq!(kept(&two_levels, Truncation::TopNSigma(2.1)), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn at_least_one_token_stays() {
        let tiny = f64::from(f32::MIN_POSITIVE);
        for step in
            [Truncation::TopNSigma(tiny), Truncation::TopK(1), Truncation::TypP(tiny), Truncation::TopP(tiny), Truncation::MinP(1.0)]
        {
            assert_eq!(kept(&[1.0], step), [0]);
            assert_eq!(kept(&[1.0, f32::NEG_INFINITY, 2.0, -1e30], step).len(), 1, "{step:?}");
        }
    }

    #[test]
    fn the_chain_has_the_order_of_llama_cpp_and_no_idle_steps() {
        let all = SamplingParams::default().with_min_p(0.5).with_top_p(0.25).with_typ_p(0.75).with_top_k(3).with_top_n_sigma(1.5);
        let expected =
            [Truncation::TopNSigma(1.5), Truncation::TopK(3), Truncation::TypP(0.75), Truncation::TopP(0.25), Truncation::MinP(0.5)];
        assert_eq!(Truncation::chain(&all).unwrap(), expected);
        assert_eq!(Truncation::chain(&SamplingParams::default()).unwrap(), []);
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        let plain = SamplingParams::default;
        let named = |params: SamplingParams| match Truncation::chain(&params).unwrap_err() {
            Error::InvalidSetting { what, .. } => what,
            error => panic!("{error}"),
        };
        for p in [0.0, -0.1, 1.1, f32::NAN] {
            assert_eq!(named(plain().with_top_p(p)), "top_p");
            assert_eq!(named(plain().with_typ_p(p)), "typ_p");
        }
        assert!([-0.1, 1.1, f32::NAN].map(|p| named(plain().with_min_p(p))).iter().all(|name| *name == "min_p"));
        assert!([0.0, f32::NAN, f32::INFINITY].map(|n| named(plain().with_top_n_sigma(n))).iter().all(|name| *name == "top_n_sigma"));
        let message = Truncation::chain(&plain().with_top_p(1.5)).unwrap_err().to_string();
        assert_eq!(message, "top_p is 1.5; it has to be above 0 and at most 1");
    }

    /// What each step keeps by its definition: a sort in `f64`, and no more than that.
    fn naive(logits: &[f32], step: Truncation) -> Vec<u32> {
        let logits: Vec<f64> = logits.iter().map(|&logit| f64::from(logit)).collect();
        let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
        let p: Vec<f64> = logits.iter().map(|logit| logit.exp() / sum).collect();
        let entropy: f64 = p.iter().map(|p| -p * p.ln()).sum();
        let max = logits.iter().copied().fold(f64::MIN, f64::max);
        let mean = logits.iter().sum::<f64>() / logits.len() as f64;
        let sigma = (logits.iter().map(|logit| (logit - mean).powi(2)).sum::<f64>() / logits.len() as f64).sqrt();
        let sorted = |key: &dyn Fn(usize) -> f64| {
            let mut ids: Vec<usize> = (0..p.len()).collect();
            ids.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
            ids
        };
        let until = |ids: Vec<usize>, mass: f64| {
            let mut reached = 0.0;
            let last = ids.iter().position(|&id| {
                reached += p[id];
                reached >= mass
            });
            ids[..=last.unwrap_or(ids.len() - 1)].to_vec()
        };
        let mut ids = match step {
            Truncation::TopNSigma(n) => (0..p.len()).filter(|&id| logits[id] >= max - n * sigma).collect(),
            Truncation::TopK(k) => sorted(&|id| -logits[id])[..k.min(p.len())].to_vec(),
            Truncation::TypP(mass) => until(sorted(&|id| (-p[id].ln() - entropy).abs()), mass),
            Truncation::TopP(mass) => until(sorted(&|id| -p[id]), mass),
            Truncation::MinP(share) => (0..p.len()).filter(|&id| p[id] >= share * max.exp() / sum).collect(),
        };
        ids.sort_unstable();
        ids.into_iter().map(|id| id as u32).collect()
    }

    proptest! {
        /// A threshold that is hit to within rounding may fall to either side.
        #[test]
        fn each_step_keeps_what_a_naive_one_does(
            logits in prop::collection::vec(-9.0_f32..9.0, 1..400),
            k in 1_usize..500,
            share in 0.001..0.999,
            n in 0.05..4.0,
        ) {
            type Step = fn(f64) -> Truncation;
            for (step, value) in [
                (Truncation::TopNSigma as Step, n),
                (Truncation::TypP as Step, share),
                (Truncation::TopP as Step, share),
                (Truncation::MinP as Step, share),
            ] {
                let near = [value, value * (1.0 - 1e-6), value * (1.0 + 1e-6)].map(|value| naive(&logits, step(value)));
                prop_assert!(near.contains(&kept(&logits, step(value))), "{:?}", step(value));
            }
            prop_assert_eq!(kept(&logits, Truncation::TopK(k)), naive(&logits, Truncation::TopK(k)));
        }
    }
}
