use std::{collections::BTreeMap, time::Duration};

use jarre_core::{Cost, Sampling, Usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An answer to an item, and what scorers said of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sample {
    /// The item's id: answers of two runs to one item are a pair.
    pub item: String,
    /// Which of the repeats, from 0.
    pub repeat: u32,
    /// What was asked, as people would read it.
    pub input: String,
    /// What was wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The unit that was drawn at random (document, conversation, template), where items share one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The fixed category (subject, language) that the item stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stratum: Option<String>,
    /// Digest of the item's input. Pairs must agree in it.
    pub input_hash: String,
    /// Digest of the whole request: messages and sampling.
    pub request_hash: String,
    /// Digest of the target. Pairs must agree in it.
    pub target_hash: String,
    /// What the model wrote.
    pub output: String,
    /// The part of it that is the answer; `None` where none was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extracted: Option<String>,
    /// Why the model stopped (`stop`, `length`, ..).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// Tokens read and written.
    pub usage: Usage,
    /// What they cost.
    pub cost: Cost,
    /// From the request to the first piece of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_to_first_token: Option<Duration>,
    /// From the request to the end of the answer, without tries that failed before.
    pub latency: Duration,
    /// Calls made, those that failed included; 0 where the answer came from the cache.
    pub attempts: u32,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// One a scorer.
    pub scores: Vec<Score>,
}

impl Sample {
    /// What `scorer` said.
    pub fn score(&self, scorer: &str) -> Option<&Score> {
        self.scores.iter().find(|score| score.scorer == scorer)
    }

    /// The figure that `scorer` gave; `None` where it gave none, for whatever reason.
    pub fn value(&self, scorer: &str) -> Option<f64> {
        self.score(scorer).and_then(|score| score.outcome.value())
    }
}

/// What a scorer said of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The scorer's name (`exact_match`, `judge/helpfulness`).
    pub scorer: String,
    /// Changes whenever the same answer could get another figure: scores of different versions are not compared.
    pub version: String,
    /// The figure, or why there is none.
    pub outcome: Outcome,
    /// The scorer's reasons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

/// A figure, or why there is none. What could not be scored is not wrong: it is counted apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", content = "value", rename_all = "snake_case")]
pub enum Outcome {
    /// A finite figure.
    Scored(f64),
    /// The scorer has nothing to say of this answer, and why: it is undefined, or a judge's verdict could not be read.
    Unscored(String),
    /// The scorer failed, and how: a judge that could not be reached. Scoring again can help.
    Failed(String),
}

impl Outcome {
    /// `value` as a figure; NaN and infinities, which no scale has, as unscored.
    pub fn of(value: f64) -> Self {
        if value.is_finite() { Self::Scored(value) } else { Self::Unscored(format!("the score is {value}")) }
    }

    /// The figure, where there is one.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Scored(value) => Some(*value),
            Self::Unscored(_) | Self::Failed(_) => None,
        }
    }
}

/// Where the figures of a run come from: what must agree for two runs to be comparable, and what helps to explain a difference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// The commit of the working tree, with `+dirty` where it holds changes.
    pub git: Option<String>,
    /// The items.
    pub dataset: Option<DatasetRef>,
    /// The prompt.
    pub prompt: Option<PromptRef>,
    /// How answers were made of the prompt (`zero_shot_cot`), with its settings.
    pub method: String,
    /// The model's name, as its provider knows it.
    pub model: String,
    /// How tokens were chosen.
    pub sampling: Sampling,
    /// The version of each scorer, by name; of a judge, the digest of its prompt and model.
    pub scorers: BTreeMap<String, String>,
    /// Machine and versions (`os`, `arch`, `cpu`, `cores`, `jarre_eval`), and whatever else a caller adds.
    pub environment: BTreeMap<String, Value>,
}

/// The items that were asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetRef {
    /// The name that people know it by.
    pub name: String,
    /// Digest of the items that were drawn, in order.
    pub digest: String,
    /// Items drawn.
    pub items: u64,
    /// The seed of the draw; `None` where all were taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// A version of a registered prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptRef {
    /// Its name.
    pub name: String,
    /// Its version, from 1; 0 for one that is not registered.
    pub version: u32,
    /// Digest of its text.
    pub digest: String,
}
