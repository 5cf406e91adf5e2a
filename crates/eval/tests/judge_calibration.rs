//! Judges held against labels: figures worked out by hand, and the gate.
#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_eval::{
    Error, Outcome,
    judge::{
        Against, Block, Calibration, Calibrator, Gate, GatePolicy, Handling, JudgeId, Judgement, LabelledAnswer, LabelledPair,
        LexicalJudge, PairJudgement, Preference, Repeats, Scale, Unjudged, Vote,
    },
};

fn judge() -> JudgeId {
    JudgeId::new("strict[llm:m]", &["1"])
}

fn judgement(scale: Scale, outcome: Outcome) -> Judgement {
    let base = Judgement::new(&LexicalJudge::containment(Against::Context), outcome);
    Judgement { judge: judge(), scale, ..base }
}

fn answer(index: usize, scale: Scale, label: f64, said: &[f64]) -> LabelledAnswer {
    let judgements = said.iter().map(|value| judgement(scale, Outcome::of(*value))).collect();
    LabelledAnswer { item: index.to_string(), label, length: 20, judgements: Repeats { judgements } }
}

/// Answers of which these many are (label, verdict).
fn counted(cells: &[(f64, f64, usize)], scale: Scale) -> Vec<LabelledAnswer> {
    let pairs = cells.iter().flat_map(|(label, value, count)| std::iter::repeat_n((*label, *value), *count));
    pairs.enumerate().map(|(index, (label, value))| answer(index, scale, label, &[value])).collect()
}

fn calibrate(answers: &[LabelledAnswer]) -> Calibration {
    Calibrator::default().answers(answers).unwrap()
}

/// 50 passes of which 45 were seen, 50 fails of which 42 were seen.
fn hundred() -> Vec<LabelledAnswer> {
    counted(&[(1.0, 1.0, 45), (1.0, 0.0, 5), (0.0, 1.0, 8), (0.0, 0.0, 42)], Scale::Binary)
}

fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
}

/// `statsmodels.stats.inter_rater.cohens_kappa([[42, 8], [5, 45]])` of statsmodels 0.15.
#[test]
fn a_binary_judge_gets_its_rates_and_kappa() {
    let calibration = calibrate(&hundred());
    assert_eq!((calibration.tpr.share(), calibration.tnr.share(), calibration.accuracy.share()), (Some(0.9), Some(0.84), Some(0.87)));
    let kappa = calibration.kappa.unwrap();
    close(kappa.value, 0.74);
    close(kappa.interval.low, 0.608_408_981_423_948);
    close(kappa.interval.high, 0.871_591_018_576_052);
    assert_eq!(calibration.weighted_kappa, None);
    // 1 - (n - 1) o / e with n = 200 values, 13 disagreements counted twice as 26 / 2, and 103 and 97 of each value.
    close(calibration.alpha.unwrap(), 1.0 - 199.0 * 13.0 / (103.0 * 97.0));
}

#[test]
fn an_observed_rate_is_corrected_by_rogan_and_gladen() {
    let calibration = calibrate(&hundred());
    let corrected = calibration.corrected_rate(530, 1_000).unwrap();
    close(corrected.rate, (0.53 + 0.84 - 1.0) / 0.74);
    let variance: f64 = 0.53 * 0.47 / 1_000.0 + 0.25 * 0.9 * 0.1 / 50.0 + 0.25 * 0.84 * 0.16 / 50.0;
    close(corrected.standard_error, variance.sqrt() / 0.74);
    assert!(corrected.interval.low < 0.5 && 0.5 < corrected.interval.high);
    // Fewer pass than the false passes of a judge whom all should fail.
    let below = calibration.corrected_rate(0, 1_000).unwrap();
    assert_eq!((below.rate, below.interval.low), (0.0, 0.0));
    assert!(below.interval.high >= 0.0);
    assert_eq!(calibration.corrected_rate(0, 0), None);
    let blind = calibrate(&counted(&[(1.0, 1.0, 9), (0.0, 1.0, 9)], Scale::Binary));
    assert_eq!(blind.corrected_rate(5, 10), None);
}

/// `cohens_kappa(table, wt="fc")` of statsmodels 0.15, by rows: labels 1, 2, 3, 4.
#[test]
fn an_ordinal_judge_gets_a_weighted_kappa() {
    let table = [[11, 3, 1, 0], [2, 9, 4, 1], [0, 3, 12, 2], [1, 0, 2, 9]];
    let cells: Vec<(f64, f64, usize)> = (0..4).flat_map(|i| (0..4).map(move |j| (i as f64 + 1.0, j as f64 + 1.0, table[i][j]))).collect();
    let calibration = calibrate(&counted(&cells, Scale::OneToFive));
    let weighted = calibration.weighted_kappa.unwrap();
    close(weighted.value, 0.757_114_818_449_460_3);
    close(weighted.interval.low, 0.601_321_238_476_843_5);
    close(weighted.interval.high, 0.912_908_398_422_077);
    // Passing is 3 and above.
    assert_eq!((calibration.confusion.true_pass, calibration.confusion.false_pass), (25, 6));
}

#[test]
fn what_has_no_verdict_is_counted_and_left_out() {
    let mut answers = hundred();
    answers[0].judgements.judgements[0].outcome = Outcome::Unscored("?".into());
    answers[1].judgements.judgements[0].outcome = Outcome::Failed("!".into());
    answers[2].judgements.judgements.clear();
    let calibration = calibrate(&answers);
    assert_eq!((calibration.n, calibration.unscored, calibration.failed), (100, 2, 1));
    assert_eq!((calibration.confusion.true_pass, calibration.tpr.trials), (42, 47));
    close(calibration.unscored_rate(), 0.02);
}

#[test]
fn flips_and_length_are_seen() {
    let answers = [(3, &[2.0, 2.0, 7.0, 7.0][..]), (30, &[4.0, 4.0]), (300, &[9.0])];
    let answers = answers.map(|(length, said)| LabelledAnswer { length, ..answer(length, Scale::OneToTen, 5.0, said) });
    let calibration = calibrate(&answers);
    close(calibration.flip_rate.unwrap(), 4.0 / 6.0 / 2.0);
    assert!(calibration.length_correlation.unwrap() > 0.95);
    assert_eq!(calibration.label_length_correlation, None, "the labels do not vary");
    assert_eq!(calibrate(&hundred()).flip_rate, None);
}

#[test]
fn the_gate_names_every_reason() {
    let policy = GatePolicy::default();
    let good = calibrate(&counted(&[(1.0, 1.0, 95), (1.0, 0.0, 5), (0.0, 1.0, 5), (0.0, 0.0, 95)], Scale::Binary));
    assert_eq!(good.gate(&judge(), &policy), Gate::Open);
    let changed = JudgeId::new("strict[llm:m]", &["2"]);
    assert!(good.is_stale(&changed) && !good.is_stale(&judge()));
    assert!(matches!(good.gate(&changed, &policy), Gate::Blocked(blocks) if matches!(blocks[..], [Block::Stale { .. }])));

    let few = calibrate(&hundred()[..60]);
    let Gate::Blocked(blocks) = few.gate(&changed, &policy) else { panic!("60 labels open the gate") };
    assert!(matches!(blocks[..], [Block::Stale { .. }, Block::TooFewLabels { labels: 60, needed: 100 }, Block::WeakAgreement { .. }]));
    let words = few.gate(&changed, &policy).to_string();
    for part in ["calibrate it again", "40 more are needed", "kappa"] {
        assert!(words.contains(part), "{words}");
    }
    // 0.74 was measured, but it may be less than 0.62.
    assert!(calibrate(&hundred()).gate(&judge(), &policy).is_open());
    assert!(!calibrate(&hundred()).gate(&judge(), &GatePolicy { min_kappa: 0.62, ..policy }).is_open());
    let same = calibrate(&counted(&[(1.0, 1.0, 200)], Scale::Binary));
    assert_eq!(same.gate(&judge(), &policy), Gate::Blocked(vec![Block::UndefinedAgreement]));
}

#[test]
fn labels_that_length_alone_can_tell_open_no_gate() {
    let mut answers = counted(&[(1.0, 1.0, 98), (1.0, 0.0, 2), (0.0, 1.0, 2), (0.0, 0.0, 98)], Scale::Binary);
    let policy = GatePolicy::default();
    assert_eq!((calibrate(&answers).length_kappa, calibrate(&answers).gate(&judge(), &policy)), (None, Gate::Open));
    // What passes is short, but for six answers.
    for (index, answer) in answers.iter_mut().enumerate() {
        answer.length = if (index < 100) ^ (index % 35 == 0) { 10 } else { 90 };
    }
    let beaten = calibrate(&answers);
    close(beaten.length_kappa.unwrap(), 0.94);
    assert_eq!(beaten.gate(&judge(), &policy), Gate::Open, "0.96 is more");
    for answer in &mut answers {
        answer.length = if answer.label > 0.5 { 10 } else { 90 };
    }
    let confounded = calibrate(&answers).gate(&judge(), &policy);
    assert!(matches!(&confounded, Gate::Blocked(blocks) if matches!(blocks[..], [Block::NoBetterThanLength { .. }])), "{confounded:?}");
    assert!(confounded.to_string().contains("label answers of like length"));
}

#[test]
fn unscored_labels_do_not_count_towards_the_gate() {
    let mut answers = counted(&[(1.0, 1.0, 50), (0.0, 0.0, 50)], Scale::Binary);
    assert!(calibrate(&answers).gate(&judge(), &GatePolicy::default()).is_open());
    answers[0].judgements.judgements[0].outcome = Outcome::Unscored("?".into());
    assert!(!calibrate(&answers).gate(&judge(), &GatePolicy::default()).is_open());
}

#[test]
fn a_calibration_is_written_and_read_and_its_labels_have_no_order() {
    let mut answers = hundred();
    let calibration = calibrate(&answers);
    let wire = serde_json::to_string(&calibration).unwrap();
    assert_eq!(serde_json::from_str::<Calibration>(&wire).unwrap(), calibration);
    answers.reverse();
    assert_eq!(calibrate(&answers).labels_digest, calibration.labels_digest);
    answers[0].label = 1.0 - answers[0].label;
    assert_ne!(calibrate(&answers).labels_digest, calibration.labels_digest);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let mut answers = hundred();
    answers[7].judgements.judgements[0].judge.version = "other".into();
    assert!(matches!(Calibrator::default().answers(&answers), Err(Error::MixedJudgements { .. })));
    answers[7].judgements.judgements[0] = judgement(Scale::Unit, Outcome::Scored(1.0));
    assert!(matches!(Calibrator::default().answers(&answers), Err(Error::MixedJudgements { .. })));
    let mut answers = hundred();
    answers[7].label = f64::NAN;
    assert!(matches!(Calibrator::default().answers(&answers), Err(Error::OffScale { index: 7, .. })));
    assert!(matches!(Calibrator::default().answers(&[]), Err(Error::EmptySample)));
    assert!(matches!(Calibrator::default().pairs(&[]), Err(Error::EmptySample)));
}

fn vote(preference: Result<Preference, Unjudged>) -> Vote {
    Vote { preference, reason: None, handling: Handling::default(), usage: jarre_core::Usage::default() }
}

/// A pair of 10 and 20 characters, judged `given` and, turned back, `swapped`.
fn pair(label: Preference, given: Preference, swapped: Preference) -> LabelledPair {
    let preference = Ok(if given == swapped { given } else { Preference::Tie });
    let judgement = PairJudgement { judge: judge(), given: vote(Ok(given)), swapped: vote(Ok(swapped)), preference };
    LabelledPair { item: "i".into(), label, first_length: 10, second_length: 20, judgement }
}

#[test]
fn a_judge_of_pairs_shows_what_sways_it() {
    use Preference::{First, Second, Tie};
    let mut pairs = vec![
        pair(First, First, First),
        pair(Second, Second, Second),
        pair(First, Second, Second),
        pair(First, First, Second),
        pair(Tie, Tie, Tie),
        pair(Second, First, Tie),
    ];
    let unread = Err(Unjudged::Unreadable("?".into()));
    pairs.push(pairs[0].clone());
    pairs[6].judgement.swapped = vote(unread.clone());
    pairs[6].judgement.preference = unread;
    let calibration = Calibrator::default().pairs(&pairs).unwrap();
    assert_eq!((calibration.n, calibration.unscored), (7, 1));
    let counts = |rate: jarre_eval::judge::Rate| (rate.successes, rate.trials);
    assert_eq!(counts(calibration.accuracy), (3, 6));
    assert_eq!(counts(calibration.position_consistency), (4, 6));
    // The fourth and the sixth pair give the place shown first two wins and one; each consistent winner wins once in either place.
    assert_eq!(counts(calibration.first_position_wins), (3 + 2 + 1, 3 + 3 + 2 + 1));
    assert_eq!(counts(calibration.prefers_longer), (2, 3));
    assert_eq!(counts(calibration.labels_prefer_longer), (2, 5));
    assert_eq!(calibration.length_kappa, None, "the second is always longer, which says nothing");
    assert!(!calibration.gate(&judge(), &GatePolicy::default()).is_open());
    assert!(!calibration.is_stale(&judge()));
    // The preferred one is the shorter one now, but for the tie: 5 of 6, against (3 * 4 + 2 * 2) / 36 by chance.
    for pair in pairs.iter_mut().filter(|pair| pair.label == Second) {
        (pair.first_length, pair.second_length) = (20, 10);
    }
    close(Calibrator::default().pairs(&pairs).unwrap().length_kappa.unwrap(), 0.7);
}
