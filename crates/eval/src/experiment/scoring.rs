use std::{collections::BTreeMap, sync::Arc};

use jarre_core::BoxFuture;
use serde_json::Value;

use super::{Item, MetricSpec, RecordedScore};
use crate::{
    Outcome, Sample, Score,
    judge::{Judge, JudgeScorer},
    text::{Extraction, Scorer},
};

/// What is done to an answer: the part that counts is found, and scorers say what it is worth.
pub struct Scoring {
    extraction: Extraction,
    scorers: Vec<Box<dyn Scorer>>,
    recorded: Vec<RecordedScore>,
    judges: Vec<Arc<dyn SampleJudge>>,
}

/// A scorer that waits: a model that judges.
///
/// [`judge`](crate::judge) has judges over any chat model.
pub trait SampleJudge: Send + Sync {
    /// The scorer's name.
    fn name(&self) -> String;

    /// Changes whenever the same answer could get another figure.
    fn version(&self) -> String;

    /// What it says of an answer. That it cannot say anything is a score too.
    fn judge<'a>(&'a self, sample: &'a Sample) -> BoxFuture<'a, Score>;
}

impl<J: Judge> SampleJudge for JudgeScorer<J> {
    fn name(&self) -> String {
        Self::name(self)
    }

    fn version(&self) -> String {
        Self::version(self).to_owned()
    }

    fn judge<'a>(&'a self, sample: &'a Sample) -> BoxFuture<'a, Score> {
        self.score(sample)
    }
}

impl Scoring {
    /// Scoring by `metrics`.
    pub fn new(extraction: Extraction, metrics: &[MetricSpec]) -> Self {
        let mut scoring = Self { extraction, scorers: Vec::new(), recorded: Vec::new(), judges: Vec::new() };
        for metric in metrics {
            match metric {
                MetricSpec::Recorded(recorded) => scoring.recorded.push(recorded.clone()),
                MetricSpec::Scorer(spec) => scoring.scorers.push(spec.build()),
            }
        }
        scoring
    }

    /// Adds a judge.
    pub fn with_judge(mut self, judge: impl SampleJudge + 'static) -> Self {
        self.judges.push(Arc::new(judge));
        self
    }

    /// The names of all metrics, in the order in which they were given, judges last.
    pub fn names(&self) -> Vec<String> {
        self.versions().into_iter().map(|(name, _)| name).collect()
    }

    /// The name and version of each metric.
    pub fn versions(&self) -> Vec<(String, String)> {
        let recorded = self.recorded.iter().map(|recorded| (recorded.name.clone(), "recorded".to_owned()));
        let extraction = crate::digest::of(&self.extraction);
        let scorers = self.scorers.iter().map(|scorer| (scorer.name(), format!("{}/{}", scorer.version(), &extraction[..8])));
        let judges = self.judges.iter().map(|judge| (judge.name(), judge.version()));
        recorded.chain(scorers).chain(judges).collect()
    }

    /// Finds the answer in the sample's output and scores it by everything that needs nobody else.
    pub(super) fn score(&self, sample: &mut Sample) {
        sample.extracted = self.extraction.extract(&sample.output);
        let versions: BTreeMap<String, String> = self.versions().into_iter().collect();
        let scores: Vec<Score> = self.scorers.iter().map(|scorer| score(scorer.as_ref(), sample, &versions)).collect();
        sample.scores.extend(scores);
    }

    /// What stands in the item, where it says anything of `variant`.
    pub(super) fn recorded(&self, item: &Item, variant: &str) -> Vec<Score> {
        let scores = self.recorded.iter().filter_map(|metric| {
            let outcome = recorded(item.fields.get(metric.recorded.get(variant)?)?);
            Some(Score { scorer: metric.name.clone(), version: "recorded".into(), outcome, explanation: None })
        });
        scores.collect()
    }

    pub(super) async fn judged(&self, sample: &Sample) -> Vec<Score> {
        let mut scores = Vec::with_capacity(self.judges.len());
        for judge in &self.judges {
            scores.push(judge.judge(sample).await);
        }
        scores
    }
}

impl std::fmt::Debug for Scoring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scoring").field("extraction", &self.extraction).field("metrics", &self.versions()).finish_non_exhaustive()
    }
}

fn score(scorer: &dyn Scorer, sample: &Sample, versions: &BTreeMap<String, String>) -> Score {
    let version = versions.get(&scorer.name()).cloned().unwrap_or_default();
    Score { version, ..scorer.scored(sample) }
}

fn recorded(value: &Value) -> Outcome {
    let text = match value {
        Value::Bool(value) => return Outcome::Scored(f64::from(u8::from(*value))),
        Value::Number(number) => return number.as_f64().map_or_else(|| Outcome::Unscored(format!("{number} is no figure")), Outcome::of),
        Value::String(text) => text.trim(),
        Value::Null | Value::Array(_) | Value::Object(_) => "",
    };
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" => Outcome::Scored(1.0),
        "false" | "no" => Outcome::Scored(0.0),
        text => text.parse().map_or_else(|_| Outcome::Unscored(format!("`{text}` is no figure")), Outcome::of),
    }
}
