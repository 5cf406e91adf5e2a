//! Intervals, held to figures computed elsewhere.

use std::num::NonZeroUsize;

use jarre_eval::{
    Error,
    stats::{Bootstrap, Interval, wilson},
};
use proptest::prelude::*;

#[track_caller]
fn assert_interval(actual: Interval, expected: (f64, f64), tolerance: f64) {
    let worst = (actual.low - expected.0).abs().max((actual.high - expected.1).abs());
    assert!(worst <= tolerance, "{actual:?}, expected {expected:?}");
}

/// Which of two models solved each of the first problems of GSM8K: published per-problem results of `RouteLLM` (Apache-2.0), counted.
struct Pairs {
    both: usize,
    first_only: usize,
    second_only: usize,
    neither: usize,
}

const FIRST_50: Pairs = Pairs { both: 21, first_only: 5, second_only: 17, neither: 7 };
const FIRST_100: Pairs = Pairs { both: 49, first_only: 10, second_only: 33, neither: 8 };
const ALL: Pairs = Pairs { both: 747, first_only: 95, second_only: 383, neither: 94 };

impl Pairs {
    fn columns(&self) -> (Vec<f64>, Vec<f64>) {
        let groups = [(self.both, (1.0, 1.0)), (self.first_only, (1.0, 0.0)), (self.second_only, (0.0, 1.0)), (self.neither, (0.0, 0.0))];
        groups.into_iter().flat_map(|(count, pair)| std::iter::repeat_n(pair, count)).unzip()
    }
}

#[test]
fn differences_of_two_models_are_the_published_ones() {
    for (pairs, difference, standard_error, percentile) in [
        (FIRST_50, 0.24, 0.088_340_713_335_658_92, (0.06, 0.4)),
        (FIRST_100, 0.23, 0.061_717_832_990_885_83, (0.11, 0.35)),
        (ALL, 0.218_347_232_752_084_92, 0.015_452_709_205_254_043, (0.188_779_378, 0.247_915_087)),
    ] {
        let (first, second) = pairs.columns();
        let compared = Bootstrap::default().paired_difference(&first, &second).unwrap();
        assert!((compared.difference.mean - difference).abs() < 1e-12);
        assert!((compared.difference.standard_error - standard_error).abs() < 1e-12);
        // The reference is itself resampled: allow one problem at either end.
        assert_interval(compared.difference.percentile, percentile, 1.01 / first.len() as f64);
        assert_eq!((compared.wins, compared.losses), (pairs.second_only, pairs.first_only));
        assert!(compared.is_significant());
    }
}

#[test]
fn shares_of_two_models_have_the_published_wilson_intervals() {
    for (successes, trials, expected) in [
        (26, 50, (0.385_117_448_900_445_1, 0.652_028_647_134_219_6)),
        (38, 50, (0.625_873_162_420_570_8, 0.857_026_086_030_082_8)),
        (842, 1319, (0.612_065_539_186_127_5, 0.663_855_664_875_197_9)),
        (1130, 1319, (0.836_764_606_996_560_4, 0.874_582_919_742_506_3)),
    ] {
        assert_interval(wilson(successes, trials, 0.95).unwrap(), expected, 1e-8);
    }
    assert_interval(wilson(0, 10, 0.95).unwrap(), (0.0, 0.277_532_8), 1e-6);
    assert_interval(wilson(10, 10, 0.95).unwrap(), (0.722_467_2, 1.0), 1e-6);
    assert_interval(wilson(0, 0, 0.95).unwrap(), (0.0, 1.0), 0.0);
    assert!(matches!(wilson(2, 1, 0.95), Err(Error::ImpossibleProportion { .. })));
}

/// Against `scipy.stats.bootstrap` 1.17 with 400,000 resamples, whose own bounds are good to about 0.0005.
#[test]
fn skewed_samples_have_the_intervals_of_scipy() {
    let bootstrap = Bootstrap::default().with_resamples(NonZeroUsize::new(100_000).unwrap());
    let mut near_one = vec![0.0; 3];
    near_one.extend([1.0; 17]);
    near_one.extend([0.5, 0.63, 0.43, 0.39]);
    let cubes: Vec<f64> = (0..60).map(|i| f64::from((i * 37) % 101).powi(3) / 1e6).collect();
    for (values, percentile, bca) in
        [(near_one, (0.638_333, 0.919_167), (0.614_583, 0.909_167)), (cubes, (0.178_376, 0.321_816), (0.182_763, 0.327_543))]
    {
        let estimate = bootstrap.mean(&values).unwrap();
        assert_interval(estimate.percentile, percentile, 0.002_5);
        assert_interval(estimate.bca, bca, 0.002_5);
    }
}

#[test]
fn equal_values_leave_no_uncertainty() {
    for values in [&[0.25][..], &[1.0; 40], &[0.1; 7]] {
        let estimate = Bootstrap::default().mean(values).unwrap();
        assert_interval(estimate.bca, (values[0], values[0]), 1e-12);
        assert_interval(estimate.percentile, (values[0], values[0]), 1e-12);
        assert!(estimate.standard_error < 1e-12);
    }
    let same = Bootstrap::default().paired_difference(&[0.3, 0.9, 0.0], &[0.3, 0.9, 0.0]).unwrap();
    assert!(!same.is_significant());
}

#[test]
fn samples_without_a_mean_are_refused() {
    let bootstrap = Bootstrap::default();
    assert!(matches!(bootstrap.mean(&[]), Err(Error::EmptySample)));
    assert!(matches!(bootstrap.mean(&[1.0, f64::NAN]), Err(Error::NonFiniteValue { index: 1, .. })));
    assert!(matches!(bootstrap.paired_difference(&[1.0], &[]), Err(Error::UnpairedLengths { first: 1, second: 0 })));
    assert!(matches!(bootstrap.paired_difference(&[1.0], &[f64::INFINITY]), Err(Error::NonFiniteValue { index: 0, .. })));
}

#[test]
fn a_95_percent_interval_covers_about_95_percent() {
    // 400 samples of 80 values whose true mean is 1/2; the share of intervals that hold it has a standard deviation of 1.1 %.
    let bootstrap = Bootstrap::default().with_resamples(NonZeroUsize::new(1000).unwrap());
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    let covers = |interval: Interval| interval.low <= 0.5 && 0.5 <= interval.high;
    let covered = (0..400).filter(|_| {
        let values: Vec<f64> = (0..80).map(|_| uniform()).collect();
        covers(bootstrap.mean(&values).unwrap().bca)
    });
    let covered = covered.count();
    assert!((364..=394).contains(&covered), "{covered} of 400");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn threads_make_no_difference(values in prop::collection::vec(-1.0..1.0_f64, 1..40), seed: u64, resamples in 1..700_usize) {
        let bootstrap = Bootstrap::default().with_seed(seed).with_resamples(NonZeroUsize::new(resamples).unwrap());
        let single = bootstrap.with_threads(NonZeroUsize::MIN).mean(&values).unwrap();
        for threads in [2, 3, 16] {
            prop_assert_eq!(single, bootstrap.with_threads(NonZeroUsize::new(threads).unwrap()).mean(&values).unwrap());
        }
    }

    #[test]
    fn intervals_are_ordered_and_within_the_sample(values in prop::collection::vec(-1e6..1e6_f64, 1..60), confidence in 0.01..0.9999) {
        let bootstrap = Bootstrap::default().with_resamples(NonZeroUsize::new(200).unwrap()).with_confidence(confidence);
        let estimate = bootstrap.mean(&values).unwrap();
        let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(*value), most.max(*value)));
        let slack = 1e-9 * most.abs().max(least.abs());
        for Interval { low, high } in [estimate.percentile, estimate.bca] {
            prop_assert!(low <= high && low >= least - slack && high <= most + slack, "{low}..{high} of {least}..{most}");
        }
    }
}
