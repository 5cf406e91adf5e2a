//! Figures of code, language models and systems.

use std::time::Duration;

use jarre_core::{Cost, Usage};
use jarre_eval::{
    Error, Sample,
    code::{Attempts, pass_at_k, pass_hat_k},
    language_model::Likelihood,
    system::{Latencies, SystemFigures},
};
use proptest::prelude::*;

/// All ways to draw `k` of `n` attempts, of which the first `c` passed: how many hold one that passed, and how many hold only such.
fn enumerate(n: u32, c: u32, k: u32) -> (f64, f64) {
    let draws: Vec<u32> = (0_u32..1 << n).filter(|draw| draw.count_ones() == k).collect();
    let passed = (1_u32 << c) - 1;
    let share = |holds: &dyn Fn(u32) -> bool| draws.iter().filter(|draw| holds(**draw)).count() as f64 / draws.len() as f64;
    (share(&|draw| draw & passed != 0), share(&|draw| draw & !passed == 0))
}

#[test]
fn passing_is_counted_over_all_draws() {
    for n in 1..=9 {
        for c in 0..=n {
            for k in 1..=n {
                let task = Attempts::new(n, c).unwrap();
                let (any, all) = enumerate(n, c, k);
                assert!((task.pass_at(k).unwrap() - any).abs() < 1e-12, "pass@{k} of {c} in {n}");
                assert!((task.pass_hat(k).unwrap() - all).abs() < 1e-12, "pass^{k} of {c} in {n}");
            }
        }
    }
}

#[test]
fn passing_of_many_attempts_stays_finite() {
    let task = Attempts::new(u32::MAX, u32::MAX / 2).unwrap();
    assert_eq!(task.pass_at(u32::MAX / 2), Some(1.0));
    assert_eq!(task.pass_hat(u32::MAX / 2), Some(0.0));
    assert!((task.pass_at(1).unwrap() - 0.5).abs() < 1e-9);
    let rare = Attempts::new(1_000_000, 1).unwrap();
    assert!((rare.pass_at(1000).unwrap() - 0.001).abs() < 1e-12);
    assert_eq!(Attempts::new(200, 200).unwrap().pass_hat(200), Some(1.0));
}

#[test]
fn means_over_tasks_want_enough_attempts_of_each() {
    let tasks = [Attempts::new(4, 2).unwrap(), Attempts::new(2, 0).unwrap()];
    assert_eq!(pass_at_k(&tasks, 1), Some(0.25));
    assert_eq!(pass_hat_k(&tasks, 2), Some(1.0 / 12.0));
    assert_eq!((pass_at_k(&tasks, 3), pass_at_k(&tasks, 0), pass_at_k(&[], 1)), (None, None, None));
    assert!(matches!(Attempts::new(1, 2), Err(Error::ImpossibleProportion { successes: 2, trials: 1 })));
    assert!(serde_json::from_str::<Attempts>(r#"{"made": 1, "passed": 2}"#).is_err());
}

#[test]
fn likelihoods_are_measured_in_bits() {
    let quarter = Likelihood::new(&[0.25_f64.ln(); 3], "été").unwrap();
    assert!((quarter.perplexity().unwrap() - 4.0).abs() < 1e-12);
    assert!((quarter.bits_per_token().unwrap() - 2.0).abs() < 1e-12);
    assert!((quarter.bits_per_byte().unwrap() - 6.0 / 5.0).abs() < 1e-12);
    assert!((quarter.bits_per_character().unwrap() - 2.0).abs() < 1e-12);
    let certain = Likelihood::new(&[0.0], "a").unwrap();
    assert_eq!((certain.perplexity(), certain.bits_per_byte()), (Some(1.0), Some(0.0)));
    let both: Likelihood = [quarter, certain].into_iter().sum();
    assert!((both.bits_per_token().unwrap() - 6.0 / 4.0).abs() < 1e-12, "longer texts weigh more");
}

#[test]
fn impossible_tokens_and_no_tokens_are_told_apart() {
    let impossible = Likelihood::new(&[-1.0, f64::NEG_INFINITY], "ab").unwrap();
    assert_eq!((impossible.perplexity(), impossible.bits_per_byte()), (Some(f64::INFINITY), Some(f64::INFINITY)));
    let empty = Likelihood::new(&[], "").unwrap();
    assert_eq!((empty.perplexity(), empty.bits_per_token(), empty.bits_per_byte(), empty.bits_per_character()), (None, None, None, None));
    assert_eq!(Likelihood::new(&[], "ab").unwrap().bits_per_byte(), None);
    for value in [f64::NAN, 0.1, f64::INFINITY] {
        assert!(matches!(Likelihood::new(&[-1.0, value], "ab"), Err(Error::ValueOutOfRange { index: 1, .. })));
    }
}

fn sample(latency: u64, first: Option<u64>, tokens: u64) -> Sample {
    Sample {
        attempts: 1,
        latency: Duration::from_millis(latency),
        time_to_first_token: first.map(Duration::from_millis),
        usage: Usage::new(100, tokens),
        cost: Cost::from_micros(500_000),
        ..Sample::default()
    }
}

#[test]
fn samples_without_an_answer_and_from_the_cache_have_no_latency() {
    let failed = Sample { error: Some("timed out".to_owned()), ..sample(60_000, None, 0) };
    let cached = Sample { attempts: 0, cost: Cost::ZERO, ..sample(1, Some(1), 50) };
    let samples =
        [sample(1100, Some(100), 11), sample(300, Some(200), 1), sample(500, None, 30), sample(100, Some(200), 9), failed, cached];
    let figures = SystemFigures::of(&samples, Some(Duration::from_secs(4)));
    assert_eq!((figures.samples, figures.errors, figures.cached), (6, 1, 1));
    assert_eq!(figures.latency.values(), [0.1, 0.3, 0.5, 1.1]);
    assert_eq!(figures.time_to_first_token.values(), [0.1, 0.2, 0.2]);
    // One token, no TTFT, and a TTFT after the end have none.
    assert_eq!(figures.time_per_output_token.values(), [0.1]);
    assert_eq!(figures.requests_per_second(), Some(1.0));
    assert_eq!(figures.output_tokens_per_second(), Some(51.0 / 4.0));
    assert_eq!(figures.usage, Usage::new(600, 101));
    assert_eq!(figures.cost_per_sample(), Some(2.5 / 6.0));
    assert_eq!((figures.cost_per_right(2), figures.cost_per_right(0)), (Some(1.25), None));
}

#[test]
fn without_samples_nothing_is_defined() {
    let figures = SystemFigures::of(&[], Some(Duration::ZERO));
    assert_eq!((figures.cost_per_sample(), figures.requests_per_second(), figures.output_tokens_per_second()), (None, None, None));
    assert_eq!((figures.latency.mean(), figures.latency.percentiles()), (None, None));
    assert_eq!(SystemFigures::of(&[sample(1, None, 1)], None).requests_per_second(), None);
}

#[test]
fn percentiles_are_those_of_numpy() {
    let latencies: Latencies = [4.0, 1.0, f64::NAN, 3.0, 2.0, f64::INFINITY].into_iter().collect();
    assert_eq!(latencies.values(), [1.0, 2.0, 3.0, 4.0]);
    // numpy.percentile([1, 2, 3, 4], [0, 50, 90, 95, 99, 100])
    for (percent, expected) in [(0.0, 1.0), (50.0, 2.5), (90.0, 3.7), (95.0, 3.85), (99.0, 3.97), (100.0, 4.0)] {
        assert!((latencies.percentile(percent).unwrap() - expected).abs() < 1e-12, "{percent}");
    }
    assert_eq!((latencies.percentile(-1.0), latencies.percentile(101.0), latencies.percentile(f64::NAN)), (None, None, None));
    assert_eq!(latencies.mean(), Some(2.5));
}

proptest! {
    #[test]
    fn percentiles_rise(times in prop::collection::vec(0.0..1e6, 1..50)) {
        let latencies: Latencies = times.into_iter().collect();
        let usual = latencies.percentiles().unwrap();
        prop_assert!(usual.p50 <= usual.p90 && usual.p90 <= usual.p95 && usual.p95 <= usual.p99);
        prop_assert!(usual.p99 <= latencies.percentile(100.0).unwrap());
    }
}

#[test]
fn intervals_of_percentiles_cover_as_often_as_they_say() {
    // Times at the quantiles of a known distribution, thinned by a fixed shuffle: 400 draws of 200 times from the numbers below 10,007.
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % 10_007
    };
    for (percent, truth) in [(50.0, 5003.0), (95.0, 9506.0)] {
        let covered = (0..400).filter(|_| {
            let times: Latencies = (0..200).map(|_| draw() as f64).collect();
            let interval = times.percentile_interval(percent, 0.95).unwrap();
            interval.low <= truth && truth <= interval.high
        });
        let covered = covered.count();
        // Rounding the ranks outwards makes the intervals a little wide: three standard errors below 380, and no bound above.
        assert!(covered >= 367, "p{percent}: {covered} of 400");
    }
    let few: Latencies = (0..100).map(f64::from).collect();
    assert_eq!((few.percentile_interval(99.0, 0.95), few.percentile_interval(0.0, 0.95)), (None, None));
    assert_eq!(Latencies::default().percentile_interval(50.0, 0.95), None);
}
