//! Bootstrap intervals and Wilson's, held to figures computed elsewhere.

use std::num::NonZeroUsize;

use jarre_eval::{
    Error,
    stats::{Bootstrap, Design, Interval, wilson},
};
use proptest::prelude::*;

use crate::{assert_close, assert_interval};

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
fn a_general_statistic_of_a_mean_is_the_mean() {
    for n in [1, 2, 37, 1_000] {
        let values: Vec<f64> = (0..n).map(|i| f64::from((i * 37) % 101).powi(2)).collect();
        let special = Bootstrap::default().mean(&values).unwrap();
        let general = Bootstrap::default().statistic(values.len(), |items| mean(&values, items)).unwrap();
        assert_interval(general.percentile, (special.percentile.low, special.percentile.high), 1e-9);
        if n > 1 {
            let bca = general.bca.unwrap();
            assert_interval(bca, (special.bca.low, special.bca.high), 1e-4 * special.standard_error);
            // Resampling knows the sample's spread, over n rather than n - 1.
            let expected = special.standard_error * (1.0 - 1.0 / f64::from(n)).sqrt();
            assert_close(general.standard_error, expected, 0.03);
        }
    }
}

/// Past a thousand items the jackknife leaves out blocks.
#[test]
fn blocks_of_the_jackknife_correct_as_items_do() {
    let values: Vec<f64> = (0..9_000).map(|i: u32| f64::from((i * 7_919) % 9_001 + 1).recip()).collect();
    let bootstrap = Bootstrap::default().with_resamples(NonZeroUsize::new(1_000).unwrap());
    let special = bootstrap.mean(&values).unwrap();
    let general = bootstrap.statistic(values.len(), |items| mean(&values, items)).unwrap();
    let moved = special.bca.high - special.percentile.high;
    assert!(moved > 0.1 * special.standard_error, "the sample is skewed: {special:?}");
    assert!((general.bca.unwrap().high - special.bca.high).abs() < 0.2 * moved, "{general:?}, {special:?}");
}

const COSTS: [f64; 20] = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0, 8.0, 9.0, 7.0, 9.0, 3.0, 2.0, 3.0, 8.0, 4.0];
const TOKENS: [f64; 20] =
    [30.0, 12.0, 35.0, 11.0, 60.0, 70.0, 25.0, 48.0, 52.0, 31.0, 44.0, 90.0, 77.0, 66.0, 95.0, 20.0, 25.0, 28.0, 85.0, 50.0];

/// `scipy.stats.bootstrap((costs, tokens), ratio_of_sums, paired=True, n_resamples=400_000)` of scipy 1.17.1, percentile and `BCa`. Both
/// sides are resampled: a twentieth of the standard error is five times what the bounds wander.
#[test]
fn ratios_have_the_intervals_of_scipy() {
    let estimate = precise().ratio_of_means(&TOKENS, &COSTS, &Design::Simple).unwrap();
    assert_close(estimate.value, COSTS.iter().sum::<f64>() / TOKENS.iter().sum::<f64>(), 1e-14);
    assert_close(estimate.standard_error, 0.003_798_961_551_088_969_5, 0.01);
    assert_interval(estimate.percentile, (0.094_634_146, 0.109_479_306), 0.000_19);
    assert_interval(estimate.bca.unwrap(), (0.094_994_893, 0.109_989_909), 0.000_19);
    assert_eq!(estimate.undefined, 0);
}

/// `scipy.stats.bootstrap((first, second), difference_of_means, n_resamples=400_000)`, unpaired.
#[test]
fn differences_of_two_samples_have_the_intervals_of_scipy() {
    let first = [0.2, 0.5, 0.1, 0.9, 0.4, 0.3, 0.8, 0.05, 0.6, 0.35, 2.5, 0.15];
    let second = [0.4, 0.9, 1.3, 0.2, 0.7, 3.1, 0.6, 0.55];
    let difference = |left: &[usize], right: &[usize]| mean(&second, right) - mean(&first, left);
    let estimate = precise().two_samples(12, 8, difference).unwrap();
    assert_close(estimate.standard_error, 0.356_102_114_546_896_2, 0.01);
    assert_interval(estimate.percentile, (-0.245_833, 1.147_917), 0.018);
    assert_interval(estimate.bca.unwrap(), (-0.166_667, 1.285_417), 0.018);
}

/// The mean of items in clusters is a ratio of the clusters' sums and sizes: `scipy.stats.bootstrap((sums, sizes), ratio_of_sums, paired=True,
/// n_resamples=400_000)`.
#[test]
fn means_over_clusters_have_the_intervals_of_scipy() {
    let (mut values, mut ids) = (Vec::new(), Vec::new());
    for cluster in 0..30 {
        for item in 0..=(cluster * 3) % 4 {
            values.push(0.1 * f64::from((cluster * 7) % 11) + 0.3 * f64::from((cluster * 5) % 4) + 0.05 * f64::from(item));
            ids.push(Some(cluster.to_string()));
        }
    }
    let design = Design::clustered(ids).unwrap();
    let estimate = precise().statistic_by(&design, values.len(), |items| mean(&values, items)).unwrap();
    assert_close(estimate.standard_error, 0.070_180_096_965_992_44, 0.01);
    assert_interval(estimate.percentile, (0.910_448, 1.185_333), 0.003_5);
    assert_interval(estimate.bca.unwrap(), (0.912_319, 1.187_143), 0.003_5);
}

#[test]
fn strata_keep_their_sizes_in_every_resample() {
    let design = Design::stratified(["a", "b", "a", "c", "b", "a"].map(Some)).unwrap();
    let bootstrap = Bootstrap::default().with_resamples(NonZeroUsize::new(500).unwrap());
    let in_a = |items: &[usize]| items.iter().filter(|item| [0, 2, 5].contains(*item)).count() as f64;
    let estimate = bootstrap.statistic_by(&design, 6, in_a).unwrap();
    assert_interval(estimate.percentile, (3.0, 3.0), 0.0);
}

/// `numpy.quantile(costs, [0.5, 0.95, 0.99])`.
#[test]
fn percentiles_are_those_of_numpy_and_resampled_ones_stay_within_the_sample() {
    let percentiles = Bootstrap::default().percentiles(&COSTS, &Design::Simple).unwrap();
    for (estimate, expected) in [(percentiles.p50, 4.5), (percentiles.p95, 9.0), (percentiles.p99, 9.0)] {
        assert_close(estimate.value, expected, 1e-14);
        assert!(estimate.percentile.contains(expected) && estimate.percentile.low >= 1.0 && estimate.percentile.high <= 9.0);
    }
    assert!(percentiles.p50.percentile.high < percentiles.p95.percentile.high);
}

#[test]
fn a_ratio_of_quantiles_follows_a_change_of_scale() {
    let slower: Vec<f64> = TOKENS.iter().map(|tokens| tokens * 1.25).collect();
    let ratio = Bootstrap::default().ratio_of_quantiles(0.95, &TOKENS, &slower, &Design::Simple).unwrap();
    assert_interval(ratio.percentile, (1.25, 1.25), 1e-12);
    let wrong = Bootstrap::default().ratio_of_quantiles(95.0, &TOKENS, &slower, &Design::Simple);
    assert!(matches!(wrong, Err(Error::OutOfRange { what: "level of a quantile", .. })));
}

#[test]
fn statistics_without_a_value_are_refused_and_resamples_without_one_counted() {
    let bootstrap = Bootstrap::default().with_resamples(NonZeroUsize::new(1_000).unwrap());
    assert!(matches!(bootstrap.statistic(0, |_| 0.0), Err(Error::EmptySample)));
    assert!(matches!(bootstrap.two_samples(3, 0, |_, _| 0.0), Err(Error::EmptySample)));
    assert!(matches!(bootstrap.statistic(3, |_| f64::NAN), Err(Error::Undefined(_))));
    assert!(matches!(bootstrap.ratio_of_means(&[0.0, 0.0], &[1.0, 2.0], &Design::Simple), Err(Error::Undefined(_))));
    // A third of all resamples of three items, and one jackknife of three, lack item 0.
    let needs_first = |items: &[usize]| if items.contains(&0) { 1.0 } else { f64::INFINITY };
    let estimate = bootstrap.statistic(3, needs_first).unwrap();
    let expected = 1_000.0 * 8.0 / 27.0;
    assert!((estimate.undefined as f64 - expected).abs() < 60.0, "{}", estimate.undefined);
    assert_eq!((estimate.bca, estimate.interval()), (None, estimate.percentile));
}

fn mean(values: &[f64], items: &[usize]) -> f64 {
    items.iter().map(|item| values[*item]).sum::<f64>() / items.len() as f64
}

fn precise() -> Bootstrap {
    Bootstrap::default().with_resamples(NonZeroUsize::new(100_000).unwrap())
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
    fn threads_make_no_difference_to_any_design(values in prop::collection::vec(-1.0..1.0_f64, 2..40), seed: u64, resamples in 1..300_usize) {
        let bootstrap = Bootstrap::default().with_seed(seed).with_resamples(NonZeroUsize::new(resamples).unwrap());
        let ids = || (0..values.len()).map(|item| Some((item % 5).to_string()));
        let halves = (0..values.len()).map(|item| Some(["a", "b"][item % 5 / 3]));
        let nested = Design::clustered_in_strata(ids(), halves).unwrap();
        let designs = [Design::Simple, Design::clustered(ids()).unwrap(), Design::stratified(ids()).unwrap(), nested];
        let half = values.len() / 2;
        let all = |bootstrap: Bootstrap| {
            let mut found: Vec<_> = designs.iter().map(|design| bootstrap.statistic_by(design, values.len(), |items| mean(&values, items)).unwrap()).collect();
            found.push(bootstrap.two_samples(half, values.len() - half, |left, right| mean(&values, left) - mean(&values[half..], right)).unwrap());
            let percentiles = bootstrap.percentiles(&values, &designs[1]).unwrap();
            found.extend([percentiles.p50, percentiles.p95, percentiles.p99]);
            found
        };
        let single = all(bootstrap.with_threads(NonZeroUsize::MIN));
        for threads in [2, 7] {
            prop_assert_eq!(&single, &all(bootstrap.with_threads(NonZeroUsize::new(threads).unwrap())));
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
