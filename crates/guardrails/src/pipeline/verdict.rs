use std::{borrow::Cow, time::Duration};

use jarre_core::ErrorKind;
use serde::{Deserialize, Serialize};

/// What a pipeline says of a text.
///
/// Serialised without the text: `{"allowed", "layers": [{"name", "action", "score", "spans": [{"start", "end", "label", "score"}],
/// "latency_us"}], "latency_us"}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the text goes on, as it was or changed.
    pub allowed: bool,
    /// What goes on. Of a text that is not allowed: what had been released before, which is nothing at stages that do not stream.
    #[serde(skip)]
    pub text: String,
    /// What each layer of the stage said, in the order of the pipeline.
    pub layers: Vec<LayerVerdict>,
    /// The time that reading took, waiting for text not counted.
    #[serde(rename = "latency_us", with = "micros")]
    pub latency: Duration,
}

impl Verdict {
    /// The layer that stopped the text.
    pub fn blocked_by(&self) -> Option<&LayerVerdict> {
        self.layers.iter().rev().find(|layer| layer.stopped)
    }

    /// The same, said without reading.
    pub(crate) fn without_latency(mut self) -> Self {
        self.latency = Duration::ZERO;
        self.layers.iter_mut().for_each(|layer| layer.latency = Duration::ZERO);
        self
    }
}

/// What one layer said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerVerdict {
    /// The layer's name.
    pub name: String,
    /// What it did.
    pub action: Action,
    /// The highest score of what it found; 0 where it found nothing.
    pub score: f32,
    /// What it found, in the order of the text: also what has no effect, because its score is low or the layer observes.
    pub spans: Vec<Spot>,
    /// Why it failed, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Whether it stopped the text, by what it found or by its failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// The time that it took.
    #[serde(rename = "latency_us", with = "micros")]
    pub latency: Duration,
}

/// What a layer did. The later a variant, the graver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It read no text, because an earlier group stopped it.
    Skipped,
    /// It let the text pass as it was.
    #[default]
    Allow,
    /// It changed the wording.
    Rewrite,
    /// It replaced something that must not go on.
    Redact,
    /// It stopped the text.
    Block,
    /// It could not read the text, or not in time.
    Failed,
}

/// Why a layer failed. Holds nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// It took longer than its budget.
    OverBudget,
    /// A model that it asks did not answer.
    Model(ErrorKind),
    /// The guard gave an error.
    Guard,
}

/// Something that a layer found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spot {
    /// Where it starts, in bytes of the text that the pipeline was given.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What it is.
    pub label: Cow<'static, str>,
    /// How sure the guard is, from 0 to 1.
    pub score: f32,
}

/// A duration as whole microseconds.
pub(super) mod micros {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}
