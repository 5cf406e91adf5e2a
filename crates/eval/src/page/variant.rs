use std::time::Duration;

use jarre_core::{Cost, Usage};
use serde::{Deserialize, Serialize};

use super::{Estimate, Figure};

/// One of the things compared: a model with its prompt and method, as one run measured it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Variant {
    /// A name of its own among the variants of the report; comparisons and addresses use it.
    pub name: String,
    /// The model's name.
    pub model: String,
    /// The prompt, with its version.
    pub prompt: String,
    /// How answers were made of the prompt.
    pub method: String,
    /// The run.
    pub run: String,
    /// Where the figures come from, field by field, in the order to be shown.
    pub provenance: Vec<(String, String)>,
    /// One a metric.
    pub summaries: Vec<Summary>,
    /// Time, tokens and money.
    pub system: System,
}

/// A metric of a variant over all items.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// The metric's name.
    pub metric: String,
    /// Items scored.
    pub n: u64,
    /// The mean, with its interval.
    pub estimate: Estimate,
    /// Items that the metric has nothing to say of.
    pub unscored: u64,
    /// Items without an answer, or whose scorer failed.
    pub errors: u64,
}

/// What a variant took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct System {
    /// The time of each answer.
    pub latencies: Vec<Duration>,
    /// The time to the first token of each answer that was streamed.
    pub times_to_first_token: Vec<Duration>,
    /// A typical answer's time in seconds (median or mean, the same for all variants), with its interval.
    pub latency: Option<Estimate>,
    /// What an item cost on average in dollars, with its interval.
    pub cost_per_item: Option<Estimate>,
    /// All tokens.
    pub usage: Usage,
    /// All money.
    pub cost: Cost,
    /// Tokens written a second, over the whole run.
    pub throughput: Option<f64>,
    /// Percentiles and whatever else was measured, under the same names for all variants.
    pub figures: Vec<Figure>,
}

impl Variant {
    /// The summary of a metric.
    pub fn summary(&self, metric: &str) -> Option<&Summary> {
        self.summaries.iter().find(|summary| summary.metric == metric)
    }
}
