//! How well words alone tell right answers from hallucinated ones (HaluEval, arXiv 2305.11747), beside length. Run with `--nocapture`.
#![expect(clippy::unwrap_used, reason = "tests")]

mod figures;

use std::collections::BTreeMap;

use figures::{Share, is_for_choosing, rows};
use jarre_guardrails::{
    Context, Guard,
    grounding::{GroundingConfig, GroundingGuard},
};

/// An answer: how it was scored, how long it is in words, and whether it is hallucinated.
#[derive(Clone, Copy)]
struct Answer {
    score: f64,
    words: usize,
    hallucinated: bool,
}

/// Right and hallucinated answers to the same questions, those to choose on first.
fn pairs(path: &str) -> [Vec<[Answer; 2]>; 2] {
    let guard = GroundingGuard::new(GroundingConfig { threshold: 0.0, ..GroundingConfig::default() }).unwrap();
    let mut halves = [Vec::new(), Vec::new()];
    for row in rows(path) {
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        let context = Context { sources: vec![text("knowledge").into()], ..Context::default() };
        let answer = |field: &str, hallucinated: bool| {
            let text = text(field);
            let found = guard.check(&text, &context).unwrap();
            let score = found.iter().map(|finding| f64::from(finding.score)).fold(0.0, f64::max);
            Answer { score, words: text.split_whitespace().count(), hallucinated }
        };
        let pair = [answer("right_answer", false), answer("hallucinated_answer", true)];
        halves[usize::from(!is_for_choosing(&text("question")))].push(pair);
    }
    halves
}

/// The chance that a hallucinated answer has the higher figure than a right one, ties half (the area under the ROC curve).
fn auroc(answers: &[Answer], figure: impl Fn(&Answer) -> f64) -> f64 {
    let (wins, all) = comparisons(answers, &figure);
    wins / all
}

fn comparisons(answers: &[Answer], figure: &impl Fn(&Answer) -> f64) -> (f64, f64) {
    let (hallucinated, right): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.hallucinated);
    let win = |one: f64, other: f64| {
        if one > other {
            1.0
        } else if one < other {
            0.0
        } else {
            0.5
        }
    };
    let wins: f64 = hallucinated.iter().flat_map(|one| right.iter().map(|other| win(figure(one), figure(other)))).sum();
    (wins, (hallucinated.len() * right.len()) as f64)
}

/// The same among answers of the same number of words, so that length cannot help.
fn auroc_at_like_length(answers: &[Answer], figure: impl Fn(&Answer) -> f64) -> (f64, usize) {
    let mut strata: BTreeMap<usize, Vec<Answer>> = BTreeMap::new();
    for answer in answers {
        strata.entry(answer.words).or_default().push(*answer);
    }
    let (wins, all) =
        strata.values().map(|answers| comparisons(answers, &figure)).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    (wins / all, all as usize)
}

fn accuracy(answers: &[Answer], figure: impl Fn(&Answer) -> f64, threshold: f64) -> Share {
    Share::of(answers.iter().map(|answer| (figure(answer) >= threshold) == answer.hallucinated))
}

/// The threshold that is right most often.
fn best_threshold(answers: &[Answer], figure: impl Fn(&Answer) -> f64 + Copy) -> f64 {
    let thresholds = answers.iter().map(figure);
    thresholds.max_by(|a, b| accuracy(answers, figure, *a).value().total_cmp(&accuracy(answers, figure, *b).value())).unwrap()
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn words_tell_more_than_length() {
    let score = |answer: &Answer| answer.score;
    let length = |answer: &Answer| answer.words as f64;
    for set in ["qa_one-turn_data", "qa_multi-turn_data"] {
        let [chosen_on, reported] = pairs(&format!("rag/halueval/generation/qa/{set}.json"));
        let [chosen_on, answers] = [&chosen_on, &reported].map(|pairs| pairs.iter().flatten().copied().collect::<Vec<Answer>>());
        let thresholds = [best_threshold(&chosen_on, score), best_threshold(&chosen_on, length)];
        println!("{set}: {} pairs reported on, thresholds {thresholds:?} from {} others", reported.len(), chosen_on.len() / 2);
        println!("  AUROC of words {:.3}, of length {:.3}", auroc(&answers, score), auroc(&answers, length));
        println!(
            "  accuracy of words {}, of length {}",
            accuracy(&answers, score, thresholds[0]),
            accuracy(&answers, length, thresholds[1])
        );
        println!("  accuracy at the threshold of the defaults {}", accuracy(&answers, score, 0.5));
        let (controlled, comparisons) = auroc_at_like_length(&answers, score);
        println!("  AUROC of words among answers of the same length {controlled:.3} ({comparisons} comparisons)");
        let like = |pair: &&[Answer; 2]| pair[0].words * 3 >= pair[1].words * 2 && pair[1].words * 3 >= pair[0].words * 2;
        let ordered = Share::of(reported.iter().filter(like).map(|pair| pair[0].score < pair[1].score));
        println!("  pairs of like length in the right order {ordered}");
        let all = Share::of(reported.iter().map(|pair| pair[0].score < pair[1].score));
        println!("  all pairs in the right order {all}");
        assert!(auroc(&answers, score) >= 0.9 && controlled >= 0.8);
    }
}
