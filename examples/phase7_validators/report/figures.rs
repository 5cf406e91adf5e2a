use std::fmt;

use anyhow::Result;
use jarre_eval::stats::{Interval, wilson};
use jarre_guardrails::topics::Closeness;
use serde::{Deserialize, Serialize};

/// All that was measured.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) rates: Vec<Rate>,
    pub(crate) rankings: Vec<Ranking>,
    pub(crate) latencies: Vec<Latency>,
    /// How topics part one domain from the others, where an encoder was named.
    #[serde(default)]
    pub(crate) topics: Vec<TopicRate>,
    /// What a judge says of the mistakes.
    #[serde(default)]
    pub(crate) graded: Vec<Graded>,
    /// What could not be measured, and why.
    pub(crate) left_out: Vec<String>,
}

/// How often a layer is wrong about the texts of a set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rate {
    pub(crate) layer: String,
    pub(crate) set: String,
    pub(crate) side: Side,
    /// Whether the layer's classifier was trained on texts of this set, so that the figure says nothing of new ones.
    pub(crate) seen: bool,
    pub(crate) texts: u64,
    /// Missed attacks, or harmless texts that were flagged.
    pub(crate) wrong: u64,
}

/// What the texts of a set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// They have to be flagged: a wrong one is missed, and counts in the FNR.
    Harmful,
    /// They must not be flagged: a wrong one counts in the FPR.
    Harmless,
}

/// How well the scores of a layer part two sides, at no threshold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ranking {
    pub(crate) layer: String,
    pub(crate) set: String,
    pub(crate) seen: bool,
    pub(crate) harmful: u64,
    pub(crate) harmless: u64,
    /// Average precision, the area under the curve of precision against recall.
    pub(crate) auprc: f64,
    /// The area under the ROC curve.
    pub(crate) auroc: f64,
}

/// How long a stage of the pipeline, or one layer of it, takes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) layer: String,
    pub(crate) bytes: usize,
    pub(crate) runs: usize,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

/// What is found where one domain is a topic, at a threshold that was chosen on other texts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TopicRate {
    pub(crate) domain: String,
    pub(crate) closeness: Closeness,
    pub(crate) usage: TopicUse,
    /// The share of texts to be left alone that the threshold was chosen for.
    pub(crate) aim: f32,
    pub(crate) threshold: f32,
    /// Texts to be found: those of a domain that is denied, those of no domain that is allowed.
    pub(crate) texts: u64,
    pub(crate) found: u64,
    /// Texts to be left alone.
    pub(crate) others: u64,
    pub(crate) falsely_found: u64,
}

/// What a topic is to the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TopicUse {
    Denied,
    Allowed,
}

/// A text that a layer was wrong about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Mistake {
    pub(crate) layer: String,
    pub(crate) set: String,
    pub(crate) side: Side,
    pub(crate) text: String,
    /// What was found, where something was.
    pub(crate) found: Vec<String>,
}

/// What a judge said of the mistakes of one layer about one set.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Graded {
    pub(crate) judge: String,
    pub(crate) layer: String,
    pub(crate) set: String,
    pub(crate) side: Side,
    /// Mistakes that it gave a verdict on.
    pub(crate) texts: u64,
    /// Those where it agrees with the guard against the label.
    pub(crate) with_guard: u64,
    /// Those that it gave no verdict on.
    pub(crate) unjudged: u64,
}

impl Rate {
    pub(crate) fn share(&self) -> f64 {
        self.wrong as f64 / self.texts.max(1) as f64
    }

    /// Wilson's interval of 95 %.
    pub(crate) fn interval(&self) -> Result<Interval> {
        Ok(wilson(self.wrong, self.texts, 0.95)?)
    }

    /// What names it in the ratchet's file.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.layer, self.set)
    }
}

impl fmt::Display for Side {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Harmful => "FNR",
            Self::Harmless => "FPR",
        })
    }
}
