//! Metrics worked out by hand.
#![expect(clippy::float_cmp, reason = "scores that are counts or zero are exact")]

use std::num::NonZeroU8;

use jarre_eval::{
    Error,
    retrieval::{Evaluation, Gain, Judgements, Metric, MissingQueries, Qrels, Run},
    stats::Bootstrap,
};
use proptest::prelude::*;

const RANKED: [&str; 6] = ["n1", "r1", "u1", "r2", "n2", "r3"];

/// Four relevant documents of which one is not retrieved, two judged non-relevant ones, and one unjudged.
fn judgements() -> Judgements {
    [("r1", 1), ("r2", 2), ("r3", 1), ("r4", 3), ("n1", 0), ("n2", 0), ("u1", -1)].into_iter().collect()
}

#[track_caller]
fn assert_score(metric: Metric, expected: f64) {
    let score = metric.score(&RANKED, &judgements());
    assert!((score - expected).abs() < 1e-12, "{metric}: {score}, by hand {expected}");
}

#[test]
fn metrics_of_sets_are_counts() {
    assert_score(Metric::Precision(4), 2.0 / 4.0);
    assert_score(Metric::Precision(12), 3.0 / 12.0);
    assert_score(Metric::Recall(2), 1.0 / 4.0);
    assert_score(Metric::Recall(6), 3.0 / 4.0);
    assert_score(Metric::RPrecision, 2.0 / 4.0);
    assert_score(Metric::Success(1), 0.0);
    assert_score(Metric::Success(2), 1.0);
    assert_score(Metric::AllGold(6), 0.0);
    assert_eq!(Metric::AllGold(4).score(&["r1", "r2", "r4", "r3"], &judgements()), 1.0);
    assert_eq!(Metric::AllGold(3).score(&["r1", "r2", "r4", "r3"], &judgements()), 0.0);
}

#[test]
fn reciprocal_rank_and_average_precision_follow_ranks() {
    assert_score(Metric::ReciprocalRank(None), 1.0 / 2.0);
    assert_score(Metric::mrr(2), 1.0 / 2.0);
    assert_score(Metric::mrr(1), 0.0);
    assert_score(Metric::AveragePrecision(None), (1.0 / 2.0 + 2.0 / 4.0 + 3.0 / 6.0) / 4.0);
    assert_score(Metric::AveragePrecision(Some(4)), (1.0 / 2.0 + 2.0 / 4.0) / 4.0);
}

#[test]
fn ndcg_discounts_gains_by_rank() {
    let (log3, log5, log7) = (3_f64.log2(), 5_f64.log2(), 7_f64.log2());
    let linear = (1.0 / log3 + 2.0 / log5 + 1.0 / log7) / (3.0 + 2.0 / log3 + 1.0 / 2.0 + 1.0 / log5);
    assert_score(Metric::Ndcg { k: None, gain: Gain::Linear }, linear);
    assert_score(Metric::ndcg(3), (1.0 / log3) / (3.0 + 2.0 / log3 + 1.0 / 2.0));
    let exponential = (1.0 / log3 + 3.0 / log5 + 1.0 / log7) / (7.0 + 3.0 / log3 + 1.0 / 2.0 + 1.0 / log5);
    assert_score(Metric::Ndcg { k: Some(10), gain: Gain::Exponential }, exponential);
}

#[test]
fn bpref_counts_judged_documents_only() {
    // One non-relevant document above r1 and r2, two above r3; N = 2, R = 4.
    assert_score(Metric::Bpref, (0.5 + 0.5 + 0.0) / 4.0);
    let unjudged_first = Metric::Bpref.score(&["u1", "x", "r1"], &judgements());
    assert!((unjudged_first - 0.25).abs() < 1e-12);
}

#[test]
fn a_relevance_level_changes_relevance_and_leaves_gains() {
    let text = "q 0 a 1\nq 0 b 2\n";
    let (one, two) = (Qrels::parse(text).unwrap(), Qrels::parse(text).unwrap().with_relevance_level(NonZeroU8::new(2).unwrap()));
    let score = |qrels: &Qrels, metric: Metric| metric.score(&["a", "b"], qrels.get("q").unwrap());
    assert_eq!((score(&one, Metric::mrr(10)), score(&two, Metric::mrr(10))), (1.0, 0.5));
    assert_eq!(score(&one, Metric::ndcg(10)).to_bits(), score(&two, Metric::ndcg(10)).to_bits());
}

#[test]
fn nothing_retrieved_or_nothing_relevant_scores_zero() {
    for metric in every_metric(0).into_iter().chain(every_metric(5)) {
        assert_eq!(metric.score::<&str>(&[], &judgements()), 0.0, "{metric}");
        assert_eq!(metric.score(&RANKED, &Judgements::default()), 0.0, "{metric}");
    }
}

#[test]
fn a_query_without_results_scores_zero_or_is_left_out() {
    let qrels = Qrels::parse("q1 0 a 1\nq2 0 b 1\n").unwrap();
    let mut run = Run::new("t").unwrap();
    run.insert("q1", [("a", 1.0)]).unwrap();
    run.insert("unjudged", [("a", 1.0)]).unwrap();
    let evaluate = |missing| Evaluation::new(&qrels, &run, &[Metric::mrr(10)], missing);
    assert_eq!(evaluate(MissingQueries::Zero).values(Metric::mrr(10)).unwrap(), [("q1", 1.0), ("q2", 0.0)]);
    assert_eq!(evaluate(MissingQueries::Skip).values(Metric::mrr(10)).unwrap(), [("q1", 1.0)]);
    let paired = evaluate(MissingQueries::Zero).difference(&evaluate(MissingQueries::Skip), Metric::mrr(10), &Bootstrap::default());
    assert!(matches!(paired, Err(Error::UnpairedQueries { only_first: 1, only_second: 0 })));
    let absent = evaluate(MissingQueries::Zero).values(Metric::Bpref).unwrap_err();
    assert_eq!(absent.to_string(), "the evaluation holds no bpref; ask for it when evaluating");
}

#[test]
fn names_are_read_back() {
    for metric in every_metric(7) {
        assert_eq!(metric.to_string().parse::<Metric>().unwrap(), metric);
    }
    assert_eq!("ndcg@10".parse::<Metric>().unwrap(), Metric::ndcg(10));
    for wrong in ["", "P", "@5", "nDCG@", "nDCG@-1", "bpref@3", "R-precision@1", "Recall"] {
        assert!(matches!(wrong.parse::<Metric>(), Err(Error::UnknownMetric(_))), "{wrong}");
    }
}

fn every_metric(k: usize) -> Vec<Metric> {
    let mut metrics =
        vec![Metric::Precision(k), Metric::Recall(k), Metric::Success(k), Metric::AllGold(k), Metric::RPrecision, Metric::Bpref];
    for k in [None, Some(k)] {
        metrics.extend([Metric::ReciprocalRank(k), Metric::AveragePrecision(k)]);
        metrics.extend([Gain::Linear, Gain::Exponential].map(|gain| Metric::Ndcg { k, gain }));
    }
    metrics
}

proptest! {
    #[test]
    fn scores_stay_between_zero_and_one(
        ranked in prop::collection::vec(0_u8..20, 0..30),
        levels in prop::collection::btree_map(0_u8..20, any::<i8>(), 0..15),
        k in 0_usize..12,
    ) {
        let ranked: Vec<String> = ranked.iter().map(u8::to_string).collect();
        let judgements: Judgements = levels.iter().map(|(document, level)| (document.to_string(), *level)).collect();
        for metric in every_metric(k) {
            let score = metric.score(&ranked, &judgements);
            prop_assert!((0.0..=1.0 + 1e-12).contains(&score), "{metric}: {score}");
        }
    }

    #[test]
    fn the_ideal_order_scores_one(levels in prop::collection::btree_map(0_u8..50, 1_i8..5, 1..20)) {
        let judgements: Judgements = levels.iter().map(|(document, level)| (document.to_string(), *level)).collect();
        let mut ideal: Vec<_> = levels.iter().collect();
        ideal.sort_by_key(|(_, level)| std::cmp::Reverse(**level));
        let ideal: Vec<String> = ideal.iter().map(|(document, _)| document.to_string()).collect();
        for metric in every_metric(ideal.len()) {
            prop_assert!((metric.score(&ideal, &judgements) - 1.0).abs() < 1e-12, "{metric}");
        }
    }
}
