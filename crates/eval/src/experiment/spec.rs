use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use jarre_core::Sampling;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;

use super::{DatasetSpec, JudgeSpec, Limits, Method, Sweep};
use crate::{
    Error, PromptRef, Result,
    text::{Extraction, ScorerSpec},
    track::Tracker,
};

/// An experiment as its TOML file has it: which items are asked of which models by which method, how the answers are scored, and what it may
/// take. Every name that it does not know is refused, so that a misspelt setting is not a setting that is silently left out.
///
/// ```
/// use jarre_eval::experiment::Experiment;
///
/// let experiment = Experiment::parse(r##"
///     name = "arithmetic"
///     metrics = ["exact_match", { numeric = { tolerance = 1e-4 } }]
///     extract = "final_number"
///     sampling = { temperature = 0.0, max_tokens = 256 }
///
///     [dataset]
///     path = "items.jsonl"
///     target = "answer"
///
///     [prompt]
///     user = "{{question}}"
///
///     [method]
///     kind = "zero_shot_cot"
///
///     [[models]]
///     name = "small"
///     model = "smollm2-135m"
///     base_url = "http://127.0.0.1:8080/v1"
/// "##)?;
/// assert_eq!(experiment.models[0].name, "small");
///
/// let error = Experiment::parse("name = \"a\"\nmetrix = []").unwrap_err();
/// assert!(error.to_string().contains("metrix"));
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Names it in lists, and its runs with their models'.
    pub name: String,
    /// What is to be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is asked.
    pub dataset: DatasetSpec,
    /// How it is put.
    pub prompt: PromptSpec,
    /// How an answer is made of it.
    #[serde(default)]
    pub method: Method,
    /// Who is asked.
    pub models: Vec<ModelSpec>,
    /// Which part of an answer counts.
    #[serde(default)]
    pub extract: Extraction,
    /// How it is scored; the first is the primary metric.
    #[serde(default)]
    pub metrics: Vec<MetricSpec>,
    /// Models that judge answers, whose metrics come after the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judges: Vec<JudgeSpec>,
    /// How tokens are chosen; a model's own settings go before these.
    #[serde(default)]
    pub sampling: Sampling,
    /// Answers to each item.
    #[serde(default = "one")]
    pub repeats: u32,
    /// Seeds what models draw: repeat `k` of each item is asked with `seed + k`.
    #[serde(default)]
    pub seed: u64,
    /// What it may take.
    #[serde(default)]
    pub limits: Limits,
    /// Settings of sampling that are tried out, each combination as a variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
}

/// How a question is put.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PromptSpec {
    /// The system message: a template, in which `{{name}}` stands for an item's field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The question, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A registered prompt in the place of `user`: `name`, `name@3` or `name@production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered: Option<String>,
}

impl PromptSpec {
    /// The question's template, and which registered prompt it is.
    pub(super) fn resolve(&self, tracker: &Tracker) -> Result<(String, Option<PromptRef>)> {
        match (&self.user, &self.registered) {
            (Some(user), _) => Ok((user.clone(), None)),
            (None, Some(name)) => registered(tracker, name),
            (None, None) => Err(Error::InvalidExperiment("[prompt] needs either `user` or `registered`".into())),
        }
    }
}

fn registered(tracker: &Tracker, name: &str) -> Result<(String, Option<PromptRef>)> {
    let version = match name.split_once('@') {
        None => tracker.latest_prompt(name)?,
        Some((name, version)) => match version.parse() {
            Ok(version) => tracker.prompt(name, version)?,
            Err(_) => tracker.prompt_by_alias(name, version)?,
        },
    };
    Ok((version.template.text().to_owned(), Some(version.reference())))
}

/// Who is asked. What a program needs to reach the model is its business: the library is given a [`ChatModel`](jarre_core::ChatModel).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// Names the variant in tables.
    pub name: String,
    /// The model's name at its endpoint; `name` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The endpoint, which speaks `OpenAI`'s API: `http://127.0.0.1:8080/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// The environment's variable with the key. Never the key itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_env: Option<String>,
    /// The items' field with answers that were given before, in the place of an endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<String>,
    /// Dollars for a million tokens read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_price: Option<f64>,
    /// Dollars for a million tokens written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_price: Option<f64>,
    /// How this model chooses tokens, where that differs from the experiment's.
    #[serde(default)]
    pub sampling: Sampling,
}

/// How answers are scored.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum MetricSpec {
    /// A figure that stands in the items already.
    Recorded(RecordedScore),
    /// Computed of the answer and the target.
    Scorer(ScorerSpec),
}

/// The field tells which it is, so that an error is about that one.
impl<'de> Deserialize<'de> for MetricSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Value::deserialize(deserializer)?;
        let read = match written.get("recorded") {
            Some(_) => serde_json::from_value(written).map(Self::Recorded),
            None => serde_json::from_value(written).map(Self::Scorer),
        };
        read.map_err(D::Error::custom)
    }
}

/// A figure that stands in the items already, as with responses that somebody else scored: `true`, `false` or a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedScore {
    /// Names it in tables.
    pub name: String,
    /// The items' field with it, by the variant's name; a model that has none here is not scored by it.
    pub recorded: BTreeMap<String, String>,
}

impl Experiment {
    /// Reads an experiment from its file.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), with the file's name.
    pub fn load(path: &Path) -> Result<Self> {
        let within = |error: Error| Error::File { path: PathBuf::from(path), source: Box::new(error) };
        let text = fs::read_to_string(path).map_err(|error| within(error.into()))?;
        Self::parse(&text).map_err(within)
    }

    /// Reads an experiment.
    ///
    /// # Errors
    /// [`Error::InvalidExperiment`] where it is no TOML, holds a name that is none of an experiment's, or cannot be run as it is.
    pub fn parse(text: &str) -> Result<Self> {
        let experiment: Self = toml::from_str(text).map_err(|error| Error::InvalidExperiment(error.to_string()))?;
        check_sampling(text)?;
        experiment.checked()
    }

    fn checked(self) -> Result<Self> {
        let problem = if self.name.trim().is_empty() {
            Some("`name` must not be empty".to_owned())
        } else if self.models.is_empty() {
            Some("name at least one model: a table [[models]]".to_owned())
        } else if self.metrics.is_empty() && self.judges.is_empty() {
            Some("name at least one metric: metrics = [\"exact_match\"]".to_owned())
        } else if self.repeats == 0 || self.limits.concurrency == 0 {
            Some("`repeats` and `limits.concurrency` must be at least 1".to_owned())
        } else if self.prompt.user.is_some() == self.prompt.registered.is_some() {
            Some("[prompt] needs either `user` or `registered`".to_owned())
        } else {
            twice(self.models.iter().map(|model| model.name.as_str()))
                .map(|name| format!("two models are named `{name}`; variants are told apart by their names"))
        };
        problem.map_or(Ok(self), |problem| Err(Error::InvalidExperiment(problem)))
    }
}

fn twice<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

/// `Sampling` passes over names that it does not know, as a wire format must; a file that people write should not.
fn check_sampling(text: &str) -> Result<()> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| Error::InvalidExperiment(error.to_string()))?;
    let models = table.get("models").and_then(toml::Value::as_array).into_iter().flatten();
    for sampling in models.filter_map(|model| model.get("sampling")).chain(table.get("sampling")) {
        let read: Sampling = sampling.clone().try_into().map_err(|error: toml::de::Error| Error::InvalidExperiment(error.to_string()))?;
        let known = serde_json::to_value(read).expect("sampling is JSON");
        let given = sampling.as_table().into_iter().flat_map(toml::Table::keys);
        if let Some(unknown) = given.into_iter().find(|name| is_lost(&known, name, sampling)) {
            return Err(Error::InvalidExperiment(format!("`{unknown}` is no setting of sampling")));
        }
    }
    Ok(())
}

/// An empty `stop` is left out where sampling is written, and is a setting all the same.
fn is_lost(known: &Value, name: &str, given: &toml::Value) -> bool {
    let is_empty = given.get(name).and_then(toml::Value::as_array).is_some_and(Vec::is_empty);
    known.get(name).is_none() && !(name == "stop" && is_empty)
}

fn one() -> u32 {
    1
}
