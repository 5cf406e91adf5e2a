//! A run as OpenTelemetry spans, by the conventions for generative AI: one for the run, in it one for each step, in those one for each call of the
//! model and of a tool, with tokens, cost and latency.
//!
//! [`otlp`] makes them of a log, at any time later, for any collector that takes OTLP/JSON. With the feature `tracing`, [`LiveTrace`] makes spans of
//! `tracing` while the run goes on.
//!
//! Costs have no name in the conventions: they are told as `jarre.cost.micro_usd`, and the number and purpose of a step, what tests came to and
//! how the run ended under `jarre.agent`.
//!
//! ```
//! use jarre_agent::trace::{TraceOptions, otlp};
//! use jarre_agent::view::Story;
//!
//! # let records: Vec<jarre_agent::Record> = Vec::new();
//! // POST it as `application/json` to `/v1/traces`, or keep it beside the log.
//! let json = otlp(&Story::of(&records), &TraceOptions::default());
//! assert!(json.starts_with(r#"{"resourceSpans":["#));
//! ```

mod attributes;
#[cfg(feature = "tracing")]
mod live;
mod otlp;
mod spans;

#[cfg(feature = "tracing")]
pub use live::LiveTrace;
pub use otlp::{TraceOptions, otlp};

use jarre_core::ErrorKind;

use crate::Outcome;

/// Names that the conventions do not have.
mod name {
    pub(super) const COST: &str = "jarre.cost.micro_usd";
    pub(super) const OUTCOME: &str = "jarre.agent.outcome";
    pub(super) const STEP_NUMBER: &str = "jarre.agent.step.number";
    pub(super) const STEP_PURPOSE: &str = "jarre.agent.step.purpose";
    pub(super) const FIRST_TOKEN: &str = "jarre.time_to_first_token";
    pub(super) const TESTS_PASSED: &str = "jarre.agent.tests.passed";
    pub(super) const TESTS_FAILED: &str = "jarre.agent.tests.failed";
}

/// How a run ended, as a short name.
fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done { .. } => "done",
        Outcome::Stuck { .. } => "stuck",
        Outcome::OutOfBudget { .. } => "out_of_budget",
        Outcome::Cancelled { .. } => "cancelled",
        Outcome::Failed { .. } => "failed",
    }
}

/// A sort of failure as a short name, as it is on the wire.
fn error_type(kind: ErrorKind) -> String {
    serde_json::to_value(kind).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_else(|| "_OTHER".to_owned())
}
