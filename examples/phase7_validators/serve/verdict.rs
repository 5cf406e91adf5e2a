use std::collections::BTreeSet;

use axum::http::HeaderValue;
use jarre_guardrails::Stage;
use jarre_guardrails::pipeline::{Action, Decision, Failure};
use serde::Serialize;

/// The header, and the comment of streams, that tells what the guards did.
pub(super) const HEADER: &str = "x-guard-verdict";
/// Layers that are told of at most: a conversation may have many messages, and a header has to stay short.
const MAX_LAYERS: usize = 16;

/// What the guards did to one request: which layers acted where, on what sort of thing. Holds nothing of any text.
#[derive(Debug, Default, Serialize)]
pub(super) struct Summary {
    allowed: bool,
    layers: Vec<Acted>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Acted {
    stage: Stage,
    name: String,
    action: Action,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    found: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

impl Summary {
    pub(super) fn new(decisions: &[Decision]) -> Self {
        let mut summary = Self { allowed: decisions.iter().all(|decision| decision.allowed), layers: Vec::new() };
        for decision in decisions {
            for layer in decision.layers.iter().filter(|layer| layer.action > Action::Allow) {
                let found = layer.spans.iter().map(|span| String::from(&*span.label)).collect();
                summary.add(Acted { stage: decision.stage, name: layer.name.clone(), action: layer.action, found, failure: layer.failure });
            }
        }
        summary
    }

    /// A layer that read several texts of one stage is told of once.
    fn add(&mut self, acted: Acted) {
        let is_full = self.layers.len() >= MAX_LAYERS;
        match self.layers.iter_mut().find(|known| (known.stage, &known.name) == (acted.stage, &acted.name)) {
            Some(known) => {
                known.action = known.action.max(acted.action);
                known.found.extend(acted.found);
                known.failure = known.failure.or(acted.failure);
            }
            None if !is_full => self.layers.push(acted),
            None => {}
        }
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("names and labels can be written as JSON")
    }

    /// Headers hold ASCII: what else a policy calls its layers is left out of it.
    pub(super) fn header(&self) -> HeaderValue {
        let ascii = self.json().replace(|c: char| !matches!(c, ' '..='~'), "?");
        HeaderValue::try_from(ascii).expect("printable ASCII is a header's value")
    }
}
