use std::time::Duration;

use jarre_core::Cost;
use jarre_eval::{
    Error,
    compare::{Check, Decision, Gate, Policy, Side, Units},
};

use crate::samples::{METRIC, share, side};

fn decide(baseline: &Side, candidate: &Side, policy: &Policy) -> Gate {
    Gate::decide(baseline, candidate, METRIC, policy, Units::Auto, 0).unwrap()
}

fn check<'a>(gate: &'a Gate, name: &str) -> &'a Check {
    gate.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("{name} is not among {:?}", gate.checks))
}

#[test]
fn four_runs_have_four_ends() {
    let baseline = share("baseline", 800, 1000);
    let mut elsewhere = share("elsewhere", 800, 1000);
    elsewhere.provenance.dataset.as_mut().unwrap().digest = "another".into();
    let cases = [
        (share("as good", 801, 1000), Decision::Pass, 0),
        (share("worse", 700, 1000), Decision::Fail, 100),
        // One item in a hundred more on either side: between a loss of two points and a gain of as much.
        (side("unsure", (0..1000).map(|item| f64::from(u8::from((item < 800) != (item % 33 == 0))))), Decision::Inconclusive, 101),
        (elsewhere, Decision::Incomparable, 102),
    ];
    for (candidate, decision, code) in cases {
        let gate = decide(&baseline, &candidate, &Policy::default());
        assert_eq!((gate.decision, gate.decision.exit_code()), (decision, code), "{gate:?}");
    }
}

#[test]
fn the_whole_is_the_worst_of_its_parts() {
    let (baseline, mut candidate) = (share("a", 800, 1000), share("b", 801, 1000));
    for sample in &mut candidate.samples {
        sample.latency *= 2;
    }
    let policy = Policy { max_latency_ratio: Some(1.5), max_cost_ratio: Some(1.2), ..Policy::default() };
    let gate = decide(&baseline, &candidate, &policy);
    assert_eq!(
        (gate.decision, check(&gate, "latency").decision, check(&gate, "cost").decision),
        (Decision::Fail, Decision::Fail, Decision::Pass)
    );
    assert!(check(&gate, "latency").words.starts_with("the 95th percentile of latencies is 2.00 times"), "{gate:?}");
    for sample in &mut candidate.samples {
        (sample.latency, sample.cost) = (Duration::from_millis(100), Cost::from_micros(80));
    }
    let gate = decide(&baseline, &candidate, &policy);
    assert_eq!((check(&gate, "latency").decision, check(&gate, "cost").decision), (Decision::Pass, Decision::Fail));
}

#[test]
fn answers_that_failed_are_an_error_rate_and_not_wrong() {
    let (baseline, mut candidate) = (share("a", 800, 1000), share("b", 810, 1000));
    for sample in candidate.samples.iter_mut().rev().take(50) {
        sample.error = Some("timed out".into());
        sample.scores.clear();
    }
    let gate = decide(&baseline, &candidate, &Policy::default());
    assert_eq!((check(&gate, "quality").decision, check(&gate, "errors").decision), (Decision::Pass, Decision::Fail));
    assert_eq!(decide(&baseline, &candidate, &Policy { max_errors: 0.05, ..Policy::default() }).decision, Decision::Pass);
}

#[test]
fn a_slice_that_breaks_fails_a_gate_that_the_mean_passes() {
    let slices = |side: &mut Side| {
        for (place, sample) in side.samples.iter_mut().enumerate() {
            sample.stratum = Some(format!("topic {}", place / 100));
        }
    };
    let mut baseline = side("a", (0..1000).map(|item| f64::from(u8::from(item % 2 == 0))));
    // Everything is as before or better, but the last topic goes from half right to nothing.
    let mut candidate = side("b", (0..1000).map(|item| f64::from(u8::from((item % 2 == 0 || item % 5 == 0) && item < 900))));
    slices(&mut baseline);
    slices(&mut candidate);
    let policy = Policy { slice_margin: Some(0.05), ..Policy::default() };
    let gate = decide(&baseline, &candidate, &policy);
    assert_eq!((check(&gate, "quality").decision, check(&gate, "slice topic 9").decision), (Decision::Pass, Decision::Fail), "{gate:?}");
    let blind = decide(&baseline, &candidate, &Policy::default());
    assert_eq!(blind.decision, Decision::Pass);
    let lost_little = decide(&baseline, &candidate, &Policy { slice_margin: Some(0.6), ..Policy::default() });
    assert_eq!(check(&lost_little, "slices").decision, Decision::Pass);
}

#[test]
fn lower_can_be_better() {
    let (baseline, candidate) =
        (side("a", (0..500).map(|item| f64::from(item % 7))), side("b", (0..500).map(|item| 0.9 * f64::from(item % 7))));
    let policy = Policy { lower_is_better: true, ..Policy::default() };
    assert_eq!(decide(&baseline, &candidate, &policy).decision, Decision::Pass);
    assert_eq!(decide(&candidate, &baseline, &policy).decision, Decision::Fail);
}

#[test]
fn a_policy_that_makes_no_sense_is_refused() {
    let policies = ["margin = -1.0", "confidence = 95.0", "max_errors = 2.0", "max_cost_ratio = 0.0", "margni = 1.0", "margin = nan"];
    for text in policies {
        assert!(matches!(Policy::parse(text), Err(Error::InvalidExperiment(_))), "{text}");
    }
}
