use std::collections::HashMap;

use serde::Serialize;

use super::{column, texts::Texts};
use crate::{
    Outcome, Score,
    page::{
        Answer, Item, Report,
        item::distinct,
        standing::{Standing, score},
    },
};

/// All answers of a variant, by columns: those of an item stand together, from `starts[item]` to before `starts[item + 1]`.
#[derive(Serialize)]
pub(super) struct Answers {
    name: String,
    starts: Vec<usize>,
    outputs: Vec<i64>,
    extracted: Option<Vec<i64>>,
    finish: Option<Vec<i64>>,
    errors: Option<Vec<i64>>,
    /// In microseconds.
    latency: Vec<Option<u64>>,
    read: Vec<u64>,
    written: Vec<u64>,
    /// In micro-dollars.
    cost: Vec<u64>,
    /// By items: different answers among the repeats.
    distinct: Vec<usize>,
    /// The same number for the same answer to an item, whichever variant gave it.
    kinds: Vec<usize>,
    /// By metrics.
    scores: Vec<Scores>,
}

/// What a metric says of the answers.
#[derive(Serialize)]
struct Scores {
    /// By items, a letter each (`Standing`).
    standings: String,
    /// By answers.
    readings: Vec<Option<Reading>>,
    /// By answers: why there is no figure, and the scorer's reasons.
    reasons: Option<Vec<i64>>,
}

/// A figure, or the letter that says why there is none.
#[derive(Serialize)]
#[serde(untagged)]
enum Reading {
    Value(f64),
    Letter(char),
}

impl Answers {
    pub(super) fn of(report: &Report, variant: usize, name: String, texts: &mut Texts) -> Self {
        let all = || report.items.iter().flat_map(move |item| item.answers_of(variant));
        let mut starts = vec![0];
        for item in &report.items {
            starts.push(starts[starts.len() - 1] + item.answers_of(variant).len());
        }
        let mut optional = |text: fn(&Answer) -> Option<&str>| column(all().map(|answer| texts.optional(text(answer))).collect());
        let extracted = optional(|answer| answer.extracted.as_deref());
        let finish = optional(|answer| answer.finish_reason.as_deref());
        let errors = optional(|answer| answer.error.as_deref());
        let latency = |answer: &Answer| answer.latency.map(|latency| u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        Self {
            name,
            starts,
            outputs: all().map(|answer| texts.place(&answer.output)).collect(),
            extracted,
            finish,
            errors,
            latency: all().map(latency).collect(),
            read: all().map(|answer| answer.usage.prompt_tokens).collect(),
            written: all().map(|answer| answer.usage.completion_tokens).collect(),
            cost: all().map(|answer| answer.cost.micros()).collect(),
            distinct: report.items.iter().map(|item| distinct(item.answers_of(variant))).collect(),
            kinds: report.items.iter().flat_map(|item| kinds(item, variant)).collect(),
            scores: (0..report.metrics.len()).map(|metric| Scores::of(report, variant, metric, texts)).collect(),
        }
    }
}

impl Scores {
    fn of(report: &Report, variant: usize, metric: usize, texts: &mut Texts) -> Self {
        let metric = &report.metrics[metric];
        let all = || report.items.iter().flat_map(move |item| item.answers_of(variant)).map(|answer| score(answer, metric));
        let reasons = all().map(|score| texts.optional(score.and_then(reasons).as_deref())).collect();
        Self {
            standings: report.items.iter().map(|item| Standing::of(item.answers_of(variant), metric).letter()).collect(),
            readings: all().map(|score| score.map(Reading::of)).collect(),
            reasons: column(reasons),
        }
    }
}

impl Reading {
    fn of(score: &Score) -> Self {
        match score.outcome {
            Outcome::Scored(value) if value.is_finite() => Self::Value(value),
            Outcome::Scored(_) | Outcome::Unscored(_) => Self::Letter('u'),
            Outcome::Failed(_) => Self::Letter('e'),
        }
    }
}

/// For each answer of a variant, the number of the first answer to the item that is the same.
fn kinds(item: &Item, variant: usize) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let mut number = |answer| {
        let next = numbers.len();
        *numbers.entry(told(answer)).or_insert(next)
    };
    let before: usize = item.answers.iter().take(variant).map(Vec::len).sum();
    item.answers.iter().flatten().map(&mut number).skip(before).take(item.answers_of(variant).len()).collect()
}

/// What an answer comes down to: its error, or what it says.
fn told(answer: &Answer) -> Result<&str, &str> {
    answer.error.as_deref().map_or_else(|| Ok(answer.given()), Err)
}

fn reasons(score: &Score) -> Option<String> {
    let why = match &score.outcome {
        Outcome::Unscored(why) | Outcome::Failed(why) => Some(why.as_str()),
        Outcome::Scored(_) => None,
    };
    let parts: Vec<&str> = why.into_iter().chain(score.explanation.as_deref()).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_answer_has_the_same_number() {
        let answer =
            |output: &str, error: Option<&str>| Answer { output: output.to_owned(), error: error.map(str::to_owned), ..Answer::default() };
        let first = vec![answer("4", None), answer("5", None), answer("", Some("4"))];
        let item = Item { answers: vec![first, Vec::new(), vec![answer("6", None), answer(" 5\n", None)]], ..Item::default() };
        assert_eq!((kinds(&item, 0), kinds(&item, 1), kinds(&item, 2)), (vec![0, 1, 2], Vec::new(), vec![3, 1]));
        assert!(kinds(&item, 9).is_empty());
    }
}
