//! Empty, undefined, huge and contradictory input.

use jarre_eval::{
    Error,
    stats::{
        BinaryPairs, Bootstrap, Confusion, Design, Direction, Interval, JudgeCalibration, Mean, NonInferiority, PairedMeans, Power,
        Question, Ratings, RectifiedMean, Repeats, Scale, Verdict, Weights, benjamini_hochberg, holm,
    },
};

#[test]
fn samples_without_a_mean_are_refused() {
    let mean = |values: &[f64]| Mean::of(values, &Design::Simple);
    assert!(matches!(mean(&[]), Err(Error::EmptySample)));
    assert!(matches!(mean(&[0.0, f64::NAN]), Err(Error::NonFiniteValue { index: 1, .. })));
    assert!(matches!(mean(&[f64::MAX, f64::MAX]), Err(Error::Undefined(_))));
    assert!(matches!(mean(&[1e200, -1e200]), Err(Error::Undefined(_))));
    let lone = mean(&[3.0]).unwrap();
    assert_eq!((lone.standard_error, lone.interval(0.95), lone.p_value()), (None, None, None));
    let unpaired = PairedMeans::of(&[1.0], &[1.0, 2.0], &Design::Simple);
    assert!(matches!(unpaired, Err(Error::UnpairedLengths { first: 1, second: 2 })));
}

#[test]
fn values_that_are_all_the_same_tell_nothing_of_their_spread() {
    let same = Mean::of(&[0.25; 4], &Design::Simple).unwrap();
    assert_eq!((same.standard_error, same.p_value()), (Some(0.0), None));
    assert_eq!(Mean::of(&[0.0; 4], &Design::Simple).unwrap().p_value(), Some(1.0));
    let runs = PairedMeans::of(&[0.0; 4], &[0.25; 4], &Design::Simple).unwrap();
    assert_eq!(runs.correlation, None);
    // 0.4 - 0.3, 0.8 - 0.7 and 1.1 - 1.0 differ in their last bits.
    let shifted = PairedMeans::of(&[0.3, 0.7, 1.0], &[0.4, 0.8, 1.1], &Design::Simple).unwrap();
    assert_eq!(shifted.difference.standard_error, Some(0.0));
    assert!(matches!(Question::default().means(&shifted), Verdict::Undefined(_)));
    let gate = NonInferiority::of_means(&runs, 0.1, Direction::HigherIsBetter, 0.95).unwrap();
    assert_eq!(gate, NonInferiority::Inconclusive { more_items: None });
}

#[test]
fn groups_must_fit_the_sample() {
    let two = Design::clustered(["a", "b"].map(Some)).unwrap();
    assert!(matches!(Mean::of(&[1.0; 3], &two), Err(Error::GroupCount { items: 3, groups: 2 })));
    assert!(matches!(Bootstrap::default().percentiles(&[1.0; 3], &two), Err(Error::GroupCount { .. })));
    let error = Design::stratified([Some("a"), None]).unwrap_err();
    assert_eq!(error.to_string(), "item 1 has no cluster or stratum; give every item one, or compare without grouping");
    let one = Mean::of(&[1.0, 0.0], &Design::clustered(["a", "a"].map(Some)).unwrap()).unwrap();
    assert_eq!((one.standard_error, one.units), (None, 1));
    let error = Mean::of(&[1.0, 0.0, 1.0], &Design::stratified(["a", "a", "b"].map(Some)).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "stratum `b` holds a single item or cluster, whose spread is unknown; merge it with another or drop it");
}

#[test]
fn items_without_answers_are_refused() {
    assert!(matches!(Repeats::of(&[vec![1.0], vec![]]), Err(Error::EmptySample)));
    assert!(matches!(Repeats::of::<Vec<f64>>(&[]), Err(Error::EmptySample)));
    assert!(matches!(Repeats::of(&[vec![1.0], vec![1.0, f64::NAN]]), Err(Error::NonFiniteValue { index: 1, .. })));
}

#[test]
fn tables_of_any_size_have_an_answer() {
    let huge = BinaryPairs { both: u64::MAX, baseline_only: u64::MAX, candidate_only: u64::MAX, neither: u64::MAX };
    assert!(huge.mcnemar().exact.is_finite() && huge.newcombe(0.95).is_ok());
    let lopsided = BinaryPairs { candidate_only: 1 << 50, ..BinaryPairs::default() };
    assert_eq!((lopsided.mcnemar().exact, lopsided.odds_ratio()), (0.0, Some(f64::INFINITY)));
    let none = BinaryPairs::default();
    assert_eq!((none.mcnemar().exact, none.mcnemar().mid_p, none.odds_ratio()), (1.0, 1.0, None));
    assert!(matches!(none.newcombe(0.95), Err(Error::EmptySample)));
    assert!(none.difference().is_nan());
    assert_eq!(BinaryPairs::of_scores(&[0.0, 0.5], &[1.0, 1.0]), None);
    assert_eq!(BinaryPairs::of_scores(&[0.0], &[1.0, 1.0]), None);
    assert!(BinaryPairs::count(&[true], &[]).is_err());
}

#[test]
fn only_probabilities_are_adjusted() {
    for wrong in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        assert!(matches!(holm(&[0.5, wrong]), Err(Error::NotAProbability { index: 1, .. })), "{wrong}");
        assert!(benjamini_hochberg(&[wrong]).is_err(), "{wrong}");
    }
    assert!(holm(&[]).unwrap().is_empty());
}

#[test]
fn agreement_that_chance_would_reach_as_well_is_undefined() {
    let bootstrap = Bootstrap::default();
    let constant = Confusion::new(["yes", "no"], &["yes"; 5], &["yes"; 5]).unwrap();
    assert_eq!(constant.agreement(), Some(1.0));
    let error = constant.kappa(Weights::Linear).unwrap_err();
    assert_eq!(error.to_string(), "kappa needs items, and labels that differ between them; rate items of more than one kind");
    assert!(constant.kappa_interval(Weights::Linear, &bootstrap).is_err());
    let empty = Confusion::new::<_, &str>(["yes", "no"], &[], &[]).unwrap();
    assert!(empty.agreement().is_none() && empty.kappa(Weights::Unweighted).is_err());
    assert!(Confusion::new(["yes", "no"], &["yes"], &["maybe"]).is_err());
    assert!(Confusion::new(["yes", "yes"], &["yes"], &["yes"]).is_err());
    assert!(Confusion::from_counts(["yes"], vec![vec![1, 2]]).is_err());
    let ragged = serde_json::from_str::<Confusion>(r#"{"labels":["yes","no"],"counts":[[1,2],[3]]}"#).unwrap_err();
    assert!(ragged.to_string().contains("2 labels need a table of as many rows and columns"), "{ragged}");
    let full = Confusion::from_counts(["yes", "no"], vec![vec![u64::MAX, 1], vec![2, u64::MAX]]).unwrap();
    assert!(full.kappa(Weights::Unweighted).unwrap() > 0.99);
    assert!(matches!(full.kappa_interval(Weights::Unweighted, &bootstrap), Err(Error::OutOfRange { .. })));
}

#[test]
fn ratings_that_cannot_disagree_are_undefined() {
    let alpha = |items: &[Vec<Option<f64>>]| Ratings::new(items).unwrap().alpha(Scale::Interval);
    assert!(alpha(&[]).is_err() && alpha(&[vec![]]).is_err() && alpha(&[vec![Some(1.0), None], vec![Some(2.0)]]).is_err());
    assert!(alpha(&[vec![Some(2.0), Some(2.0)], vec![Some(-0.0), None]]).is_err());
    assert_eq!(Ratings::new(&[[Some(0.0), Some(-0.0)]]).unwrap().values().len(), 1);
    assert!(matches!(Ratings::new(&[[Some(f64::NAN)]]), Err(Error::NonFiniteValue { index: 0, .. })));
    let once = Ratings::new(&[[Some(1.0)], [Some(2.0)]]).unwrap();
    assert!(matches!(once.alpha_interval(Scale::Nominal, &Bootstrap::default()), Err(Error::Undefined(_))));
}

#[test]
fn judges_that_know_nothing_correct_nothing() {
    let judge = |true_positives, false_negatives, true_negatives, false_positives| JudgeCalibration {
        true_positives,
        false_negatives,
        true_negatives,
        false_positives,
    };
    assert!(matches!(judge(5, 5, 5, 5).corrected_rate(3, 10, 0.95), Err(Error::Undefined(_))));
    assert!(matches!(judge(1, 9, 1, 9).corrected_rate(3, 10, 0.95), Err(Error::Undefined(_))));
    assert!(matches!(judge(9, 1, 0, 0).corrected_rate(3, 10, 0.95), Err(Error::Undefined(_))));
    assert!(matches!(judge(9, 1, 9, 1).corrected_rate(11, 10, 0.95), Err(Error::ImpossibleProportion { .. })));
    assert!(matches!(judge(9, 1, 9, 1).corrected_rate(0, 0, 0.95), Err(Error::EmptySample)));
    assert_eq!(judge(0, 0, 9, 1).sensitivity(), None);
    // Fewer verdicts than its false alarms alone: the rate cannot be below 0.
    let corrected = judge(90, 10, 80, 20).corrected_rate(10, 1000, 0.95).unwrap();
    assert!(corrected.rate == 0.0 && corrected.interval.low == 0.0 && corrected.interval.high < 0.1, "{corrected:?}");
    let full = judge(u64::MAX, u64::MAX / 9, u64::MAX, 0).corrected_rate(u64::MAX / 2, u64::MAX, 0.95).unwrap();
    assert!(full.interval.contains(full.rate));
}

#[test]
fn rectified_means_need_two_items_on_either_side() {
    let of = |unlabelled: &[f64], judge: &[f64], people: &[f64]| RectifiedMean::of(unlabelled, judge, people, 0.95);
    assert!(matches!(of(&[0.5], &[0.5, 0.6], &[0.5, 0.7]), Err(Error::Undefined(_))));
    assert!(matches!(of(&[0.5, 0.6], &[0.5], &[0.5]), Err(Error::Undefined(_))));
    assert!(matches!(of(&[0.5, 0.6], &[0.5], &[]), Err(Error::UnpairedLengths { .. })));
    let still = of(&[0.5, 0.5], &[0.5, 0.5], &[0.75, 0.75]).unwrap();
    assert_eq!((still.mean, still.interval), (0.75, Interval { low: 0.75, high: 0.75 }));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let power = Power::default();
    for wrong in [0.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(power.items(1.0, wrong), Err(Error::OutOfRange { what: "effect", .. })), "{wrong}");
    }
    assert!(matches!(power.items(-1.0, 0.1), Err(Error::OutOfRange { what: "variance", .. })));
    assert_eq!(power.items(1.0, 1e-200).unwrap(), u64::MAX);
    assert!(power.detectable(1.0, 0).unwrap().is_infinite());
    for (discordant, effect) in [(0.0, 0.1), (1.5, 0.1), (0.1, 0.2), (f64::NAN, 0.1)] {
        assert!(power.mcnemar_items(discordant, effect).is_err(), "{discordant}, {effect}");
    }
    let zero = Interval { low: 0.0, high: 0.0 };
    for margin in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(NonInferiority::of(0.0, zero, 9, margin, Direction::HigherIsBetter), Err(Error::OutOfRange { .. })), "{margin}");
    }
    let nan = Interval { low: f64::NAN, high: 0.0 };
    assert!(matches!(NonInferiority::of(0.0, nan, 9, 0.1, Direction::HigherIsBetter), Err(Error::Undefined(_))));
    // An effect of nothing asks for nothing.
    let verdict = Question::default().with_effect(0.0).pairs(&BinaryPairs { both: 5, ..BinaryPairs::default() });
    assert_eq!(verdict.finding().unwrap().needed, None);
}
