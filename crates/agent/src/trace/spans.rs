use jarre_core::telemetry::{attribute, operation, span_name};
use jarre_core::{Cost, Sampling, Timestamp, Usage};
use serde::Serialize;

use super::attributes::Attributes;
use super::{TraceOptions, error_type, name, outcome};
use crate::Outcome;
use crate::view::{Approval, Call, Step, Story, words};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    trace_id: String,
    #[serde(rename = "spanId")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    name: String,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Attributes,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Moment {
    time_unix_nano: String,
    name: &'static str,
    attributes: Attributes,
}

#[derive(Debug, Serialize)]
struct Status {
    code: u8,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

/// `SpanKind` and `StatusCode` of OTLP's protocol buffers.
const INTERNAL: u8 = 1;
const CLIENT: u8 = 3;
const OK: u8 = 1;
const ERROR: u8 = 2;

/// Makes spans of one trace.
struct Maker<'a> {
    story: &'a Story,
    options: &'a TraceOptions,
    trace: blake3::Hash,
}

/// The spans of a run: each after the one that it is in.
pub(super) fn spans(story: &Story, options: &TraceOptions) -> Vec<Span> {
    if story.is_empty() {
        return Vec::new();
    }
    let mut hasher = blake3::Hasher::new_derive_key("jarre-agent 2026 trace");
    hasher.update(&story.started.unix_micros().to_le_bytes()).update(story.run.as_bytes());
    let maker = Maker { story, options, trace: hasher.finalize() };
    let mut spans = vec![maker.run()];
    for (place, step) in story.steps.iter().enumerate() {
        spans.push(maker.step(place, step));
        spans.push(maker.chat(place, step));
        spans.extend(step.calls.iter().enumerate().filter_map(|(index, call)| maker.tool(place, index, call)));
    }
    spans
}

impl Maker<'_> {
    fn span(&self, path: &[usize], name: String, kind: u8, start: Timestamp, end: Timestamp) -> Span {
        let parent = path.split_last().map(|(_, parent)| self.id(parent));
        Span {
            trace_id: self.trace.to_hex()[..32].to_owned(),
            id: self.id(path),
            parent_span_id: parent,
            name,
            kind,
            start_time_unix_nano: nanos(start),
            end_time_unix_nano: nanos(end.max(start)),
            attributes: Attributes::default(),
            events: Vec::new(),
            status: None,
        }
    }

    /// The id of the span at a place in the tree.
    fn id(&self, path: &[usize]) -> String {
        let mut hasher = blake3::Hasher::new_keyed(self.trace.as_bytes());
        for place in path {
            hasher.update(&(*place as u64).to_le_bytes());
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    fn run(&self) -> Span {
        let story = self.story;
        let name = span_name(operation::INVOKE_AGENT, &story.task.name);
        let mut span = self.span(&[], name, INTERNAL, story.started, story.updated);
        let attributes = &mut span.attributes;
        attributes.text(attribute::OPERATION_NAME, operation::INVOKE_AGENT);
        attributes.text(attribute::AGENT_ID, &story.run);
        attributes.text(attribute::AGENT_NAME, &story.task.name);
        attributes.text(attribute::CONVERSATION_ID, &story.run);
        attributes.text(attribute::PROVIDER_NAME, &story.provider);
        attributes.text(attribute::REQUEST_MODEL, &story.model);
        used(attributes, story.usage, story.cost);
        if let Some(ended) = &story.outcome {
            attributes.text(name::OUTCOME, outcome(ended));
            let is_done = matches!(ended, Outcome::Done { .. });
            if !is_done {
                attributes.text(attribute::ERROR_TYPE, outcome(ended));
            }
            span.status = Some(Status { code: if is_done { OK } else { ERROR }, message: String::new() });
        }
        span
    }

    fn step(&self, place: usize, step: &Step) -> Span {
        let purpose = words::purpose(step.purpose);
        let end = step.calls.iter().filter_map(|call| call.finished).fold(step.ended, Timestamp::max);
        let mut span = self.span(&[place], format!("step {} {purpose}", place + 1), INTERNAL, step.started, end);
        span.attributes.integer(name::STEP_NUMBER, place as u64 + 1);
        span.attributes.text(name::STEP_PURPOSE, purpose);
        span.events = step.calls.iter().filter_map(|call| call.approval.as_ref()).flat_map(moments).collect();
        span
    }

    fn chat(&self, place: usize, step: &Step) -> Span {
        let story = self.story;
        let name = span_name(operation::CHAT, &story.model);
        let mut span = self.span(&[place, 0], name, CLIENT, step.started, step.answered.unwrap_or(story.updated));
        let attributes = &mut span.attributes;
        attributes.text(attribute::OPERATION_NAME, operation::CHAT);
        attributes.text(attribute::PROVIDER_NAME, &story.provider);
        attributes.text(attribute::REQUEST_MODEL, &story.model);
        asked(attributes, &story.settings.sampling);
        if let Some(model) = &step.model {
            attributes.text(attribute::RESPONSE_MODEL, model);
        }
        if let Some(reason) = step.finish.and_then(|reason| serde_json::to_value(reason).ok()) {
            attributes.texts(attribute::RESPONSE_FINISH_REASONS, reason.as_str());
        }
        if step.finish.is_some() {
            used(attributes, step.usage, step.cost);
        }
        if let Some(first) = step.first_token {
            attributes.number(name::FIRST_TOKEN, first.as_secs_f64());
        }
        if self.options.content && !step.text.is_empty() {
            attributes.text(attribute::OUTPUT_MESSAGES, &said(&step.text));
        }
        if let Some((kind, message)) = &step.failure {
            attributes.text(attribute::ERROR_TYPE, &error_type(*kind));
            // A server may say again what it was asked.
            let message = if self.options.content { message.clone() } else { String::new() };
            span.status = Some(Status { code: ERROR, message });
        }
        span
    }

    /// The span of a call, where it was made.
    fn tool(&self, place: usize, index: usize, call: &Call) -> Option<Span> {
        let end = call.finished.unwrap_or(self.story.updated);
        let name = span_name(operation::EXECUTE_TOOL, &call.call.name);
        let mut span = self.span(&[place, index + 1], name, INTERNAL, call.started?, end);
        let attributes = &mut span.attributes;
        attributes.text(attribute::OPERATION_NAME, operation::EXECUTE_TOOL);
        attributes.text(attribute::TOOL_NAME, &call.call.name);
        attributes.text(attribute::TOOL_CALL_ID, &call.call.id);
        if let Some(tests) = &call.tests {
            attributes.integer(name::TESTS_PASSED, tests.passed);
            attributes.integer(name::TESTS_FAILED, tests.failed);
        }
        if self.options.content {
            attributes.text(attribute::TOOL_CALL_ARGUMENTS, &call.call.arguments);
        }
        if let Some(output) = &call.output {
            if self.options.content {
                attributes.text(attribute::TOOL_CALL_RESULT, &output.text);
            }
            if output.is_error {
                attributes.text(attribute::ERROR_TYPE, "tool_error");
                span.status = Some(Status { code: ERROR, message: String::new() });
            }
        }
        Some(span)
    }
}

fn used(attributes: &mut Attributes, usage: Usage, cost: Cost) {
    attributes.integer(attribute::USAGE_INPUT_TOKENS, usage.prompt_tokens);
    attributes.integer(attribute::USAGE_OUTPUT_TOKENS, usage.completion_tokens);
    if usage.cached_tokens > 0 {
        attributes.integer(attribute::USAGE_CACHE_READ_INPUT_TOKENS, usage.cached_tokens);
    }
    attributes.integer(name::COST, cost.micros());
}

fn asked(attributes: &mut Attributes, sampling: &Sampling) {
    let numbers =
        [(attribute::REQUEST_TEMPERATURE, sampling.temperature.map(f64::from)), (attribute::REQUEST_TOP_P, sampling.top_p.map(f64::from))];
    for (name, value) in numbers {
        if let Some(value) = value {
            attributes.number(name, value);
        }
    }
    let counts = [
        (attribute::REQUEST_TOP_K, sampling.top_k.map(u64::from)),
        (attribute::REQUEST_MAX_TOKENS, sampling.max_tokens.map(u64::from)),
        (attribute::REQUEST_SEED, sampling.seed),
    ];
    for (name, value) in counts {
        if let Some(value) = value {
            attributes.integer(name, value);
        }
    }
}

/// An answer in the form that the conventions give messages.
fn said(text: &str) -> String {
    #[derive(Serialize)]
    struct Message<'a> {
        role: &'static str,
        parts: [Part<'a>; 1],
    }
    #[derive(Serialize)]
    struct Part<'a> {
        r#type: &'static str,
        content: &'a str,
    }
    let message = Message { role: "assistant", parts: [Part { r#type: "text", content: text }] };
    serde_json::to_string(&[message]).expect("texts can be written as JSON")
}

/// When a person was asked, and when they answered. Who it was is personal data, and told nowhere.
fn moments(approval: &Approval) -> Vec<Moment> {
    let moment = |at, name| Moment { time_unix_nano: nanos(at), name, attributes: Attributes::default() };
    let mut moments = vec![moment(approval.asked, "approval asked")];
    if let Some((decision, _, at)) = &approval.answer {
        let mut answered = moment(*at, "approval answered");
        answered.attributes.text("jarre.agent.decision", words::decided(decision).0);
        moments.push(answered);
    }
    moments
}

/// Nanoseconds since 1970, which OTLP counts without a sign.
fn nanos(at: Timestamp) -> String {
    (i128::from(at.unix_micros().max(0)) * 1000).min(i128::from(u64::MAX)).to_string()
}
