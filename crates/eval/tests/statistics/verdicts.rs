//! What comparisons say in words, and gates.

use jarre_eval::stats::{BinaryPairs, Design, Direction, Interval, NonInferiority, PairedMeans, Power, Question, Unit, Verdict};

fn pairs(both: u64, baseline_only: u64, candidate_only: u64, neither: u64) -> BinaryPairs {
    BinaryPairs { both, baseline_only, candidate_only, neither }
}

#[track_caller]
fn assert_says(verdict: &Verdict, sentence: &str) {
    assert_eq!(verdict.to_string(), sentence);
}

#[test]
fn a_difference_is_told_with_its_interval_and_p_value() {
    let question = Question::default();
    assert_says(&question.pairs(&pairs(747, 95, 383, 94)), "better by 21.8 points (18.8 to 24.8), p = 5.1e-42");
    assert_says(&question.pairs(&pairs(747, 383, 95, 94)), "worse by 21.8 points (18.8 to 24.8), p = 5.1e-42");
    assert_says(&question.pairs(&pairs(5_000, 0, 5_000, 0)), "better by 50.00 points (49.02 to 50.98), p < 1e-300");
    assert_says(&question.pairs(&pairs(21, 5, 17, 7)), "better by 24.0 points (5.8 to 40.1), p = 0.017");
}

#[test]
fn no_difference_is_told_with_what_would_show_one() {
    let question = Question::default().with_effect(0.02);
    let small = pairs(70, 9, 10, 11);
    assert_says(
        &question.pairs(&small),
        "not distinguishable: 95 % interval -7.9 to +9.9 points; 3626 more items would show a difference of 2",
    );
    let Verdict::NotDistinguishable(finding) = question.pairs(&small) else { panic!("a difference of one item in 100") };
    let needed = finding.needed.unwrap();
    assert_eq!(needed.more_items + 100, Power::default().mcnemar_items(0.19, 0.02).unwrap());
    let detectable = finding.detectable.unwrap();
    assert!((0.11..0.14).contains(&detectable), "{detectable}");
    assert_says(
        &Question::default().pairs(&small),
        "not distinguishable: 95 % interval -7.9 to +9.9 points; 100 items show differences from 12.1 on",
    );
    let large = pairs(70_000, 900, 910, 11_000);
    assert_says(
        &question.pairs(&large),
        "not distinguishable: 95 % interval -0.09 to +0.11 points; a difference of 2 would likely have shown",
    );
}

#[test]
fn the_unit_and_the_direction_are_the_metrics_own() {
    let latency = Question::default().with_direction(Direction::LowerIsBetter).with_unit(Unit::Own("ms".to_owned()));
    let slower = Interval { low: 12.3, high: 45.6 };
    assert_says(&latency.interval(30.0, slower, None, 50), "worse by 30 ms (12 to 46)");
    let faster = Interval { low: -45.6, high: -12.3 };
    assert_says(&latency.interval(-30.0, faster, Some(0.0041), 50), "better by 30 ms (12 to 46), p = 0.0041");
    let either = Interval { low: -0.0012, high: 0.0456 };
    assert_says(&latency.interval(0.02, either, None, 50), "not distinguishable: 95 % interval -0.001 to +0.046 ms");
    let bare = Question::default().with_unit(Unit::Own(String::new()));
    assert_says(&bare.interval(3.0, Interval { low: 1.0, high: 5.0 }, None, 9), "better by 3.0 (1.0 to 5.0)");
}

#[test]
fn interval_and_test_must_agree() {
    let question = Question::default();
    let clear = Interval { low: 0.01, high: 0.2 };
    assert!(matches!(question.interval(0.1, clear, Some(0.06), 20), Verdict::NotDistinguishable(_)));
    assert!(matches!(question.interval(0.1, clear, Some(0.05), 20), Verdict::Better(_)));
    let unclear = Interval { low: -0.01, high: 0.2 };
    assert!(matches!(question.interval(0.1, unclear, Some(0.01), 20), Verdict::NotDistinguishable(_)));
}

#[test]
fn what_cannot_be_told_is_said() {
    let question = Question::default().with_effect(0.01);
    assert_says(&question.pairs(&BinaryPairs::default()), "undefined: there are no items that both runs answered");
    let means = |first: &[f64], second: &[f64], design: &Design| question.means(&PairedMeans::of(first, second, design).unwrap());
    assert_says(&means(&[0.5], &[0.7], &Design::Simple), "undefined: 1 item is too few to tell; ask more");
    let same = means(&[0.5, 0.25, 0.75], &[1.0, 0.75, 1.25], &Design::Simple);
    assert_says(&same, "undefined: all 3 differences are the same, so that their spread is unknown; ask more");
    let one_cluster = Design::clustered(["d"; 3].map(Some)).unwrap();
    assert_says(&means(&[0.5, 0.1, 0.2], &[0.7, 0.1, 0.1], &one_cluster), "undefined: one cluster of 3 items is too few to tell; ask more");
    assert_says(
        &question.interval(f64::NAN, Interval { low: 0.0, high: 1.0 }, None, 3),
        "undefined: the difference is no finite number; leave out what could not be scored",
    );
    let equal = means(&[0.5, 0.25, 0.75], &[0.5, 0.25, 0.75], &Design::Simple);
    assert_says(&equal, "not distinguishable: 95 % interval 0.0 to 0.0 points; a difference of 1 would likely have shown");
}

#[test]
fn verdicts_survive_serialisation() {
    let verdict = Question::default().with_effect(0.02).pairs(&pairs(70, 9, 10, 11));
    let text = serde_json::to_string(&verdict).unwrap();
    assert!(text.starts_with(r#"{"not_distinguishable":{"difference":0.01,"#), "{text}");
    assert_eq!(serde_json::from_str::<Verdict>(&text).unwrap(), verdict);
}

#[test]
fn a_margin_is_kept_broken_or_undecided() {
    let judge = |low: f64, high: f64, direction| {
        NonInferiority::of(f64::midpoint(low, high), Interval { low, high }, 100, 0.02, direction).unwrap()
    };
    let higher = Direction::HigherIsBetter;
    assert_eq!(judge(-0.01, 0.05, higher), NonInferiority::NonInferior);
    assert_eq!(judge(-0.05, -0.03, higher), NonInferiority::Inferior);
    // Half-width 0.03, distance to the margin 0.02: 100 (3/2)² = 225 items put the bound on the margin.
    assert_eq!(judge(-0.03, 0.03, higher), NonInferiority::Inconclusive { more_items: Some(126) });
    assert_eq!(judge(-0.07, 0.03, higher), NonInferiority::Inconclusive { more_items: None });
    assert_eq!(judge(-0.05, 0.01, Direction::LowerIsBetter), NonInferiority::NonInferior);
    assert_eq!(judge(0.03, 0.05, Direction::LowerIsBetter), NonInferiority::Inferior);
}

#[test]
fn as_many_more_items_as_are_named_decide() {
    let runs = |copies: usize| {
        let first: Vec<f64> = (0..50 * copies).map(|item| [0.1, 0.9, 0.4, 0.6, 0.2][item % 5]).collect();
        let second: Vec<f64> = (0..50 * copies).map(|item| [0.3, 0.7, 0.4, 0.5, 0.2][item % 5]).collect();
        PairedMeans::of(&first, &second, &Design::Simple).unwrap()
    };
    let gate = |runs: &PairedMeans| NonInferiority::of_means(runs, 0.03, Direction::HigherIsBetter, 0.95).unwrap();
    let NonInferiority::Inconclusive { more_items: Some(more) } = gate(&runs(1)) else { panic!("{:?}", gate(&runs(1))) };
    let copies = (50 + more as usize).div_ceil(50);
    assert!(copies > 2, "{more}");
    assert_eq!(gate(&runs(copies)), NonInferiority::NonInferior);
    assert!(matches!(gate(&runs(copies - 2)), NonInferiority::Inconclusive { .. }));
}

#[test]
fn the_gate_of_right_and_wrong_goes_by_newcombe() {
    let gate = |pairs: BinaryPairs| NonInferiority::of_pairs(&pairs, 0.03, Direction::HigherIsBetter, 0.95).unwrap();
    assert_eq!(gate(pairs(747, 95, 383, 94)), NonInferiority::NonInferior);
    assert_eq!(gate(pairs(747, 383, 95, 94)), NonInferiority::Inferior);
    assert!(matches!(gate(pairs(7, 1, 1, 1)), NonInferiority::Inconclusive { more_items: Some(_) }));
}
