use std::time::Duration;

use jarre_core::RequestId;
use serde::Serialize;

use super::{LayerVerdict, Verdict, verdict::micros};
use crate::Stage;

/// Takes every decision of a pipeline, for logs and metrics.
///
/// A decision holds places and labels and nothing of the text, unless the sink [`wants_text`](Self::wants_text).
pub trait DecisionSink: Send + Sync {
    /// Takes one decision. It is called where the text is read: it should hand on and return.
    fn record(&self, decision: &Decision);

    /// Whether decisions are to hold the text that went on. Text holds what people wrote: think of who reads the log.
    fn wants_text(&self) -> bool {
        false
    }
}

/// A verdict and where it was given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// The request that the text belongs to, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// Where the text stood.
    pub stage: Stage,
    /// The tool that the text was for or from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Whether it goes on.
    pub allowed: bool,
    /// Whether the text was read to its end or to where it was stopped; not so where a stream was given up.
    pub complete: bool,
    /// What each layer said.
    pub layers: Vec<LayerVerdict>,
    /// The time that reading took.
    #[serde(rename = "latency_us", with = "micros")]
    pub latency: Duration,
    /// What went on, where the sink wants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Decision {
    /// The decision without its place: its text is empty where the sink did not want it.
    pub fn into_verdict(self) -> Verdict {
        Verdict { allowed: self.allowed, text: self.text.unwrap_or_default(), layers: self.layers, latency: self.latency }
    }
}
