use std::collections::BTreeMap;

use jarre_core::telemetry::{operation, span_name};
use jarre_core::{ToolCall, Usage};
use tracing::field::Empty;
use tracing::{Span, info, info_span};

use super::{error_type, outcome};
use crate::view::words;
use crate::{Event, Outcome, Record};

/// Spans of `tracing` for a run that goes on: one for the run, in it one for each call of the model and of a tool, open while they last.
///
/// Their names are those of the operations; `otel.name` holds the name that OpenTelemetry's conventions give them. No text of a model, tool or person is
/// told, but names of tasks, models and tools.
#[derive(Debug, Default)]
pub struct LiveTrace {
    run: Option<Span>,
    models: BTreeMap<u64, Span>,
    tools: BTreeMap<String, Span>,
}

impl LiveTrace {
    /// Before the first record.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next record.
    pub fn record(&mut self, record: &Record) {
        match &record.event {
            Event::Started { run, task, model, .. } => {
                let name = span_name(operation::INVOKE_AGENT, &task.name);
                self.run = Some(info_span!(
                    "invoke_agent",
                    otel.name = name,
                    gen_ai.operation.name = operation::INVOKE_AGENT,
                    gen_ai.agent.id = run,
                    gen_ai.agent.name = task.name,
                    gen_ai.conversation.id = run,
                    gen_ai.provider.name = model.provider,
                    gen_ai.request.model = model.name,
                    jarre.agent.outcome = Empty,
                    error.type = Empty,
                ));
            }
            Event::ModelCalled { call, purpose, .. } => {
                let span = self.within(|| {
                    info_span!(
                        "chat",
                        gen_ai.operation.name = operation::CHAT,
                        jarre.agent.step.purpose = words::purpose(*purpose),
                        gen_ai.usage.input_tokens = Empty,
                        gen_ai.usage.output_tokens = Empty,
                        jarre.cost.micro_usd = Empty,
                        error.type = Empty,
                    )
                });
                self.models.insert(*call, span);
            }
            Event::ModelAnswered { call, response, cost } => {
                if let Some(span) = self.models.remove(call) {
                    let Usage { prompt_tokens, completion_tokens, .. } = response.usage;
                    span.record("gen_ai.usage.input_tokens", prompt_tokens);
                    span.record("gen_ai.usage.output_tokens", completion_tokens);
                    span.record("jarre.cost.micro_usd", cost.micros());
                }
            }
            Event::ModelFailed { call, kind, .. } => {
                if let Some(span) = self.models.remove(call) {
                    span.record("error.type", error_type(*kind));
                }
            }
            acted => self.act(acted),
        }
    }

    fn act(&mut self, event: &Event) {
        match event {
            Event::ToolStarted { call, key } => {
                let span = self.within(|| of_tool(call));
                self.tools.insert(key.clone(), span);
            }
            Event::ToolFinished { key, output, .. } => {
                if let Some(span) = self.tools.remove(key).filter(|_| output.is_error) {
                    span.record("error.type", "tool_error");
                }
            }
            Event::ApprovalAsked { requests } => self.within(|| info!(calls = requests.len(), "approval asked")),
            Event::ApprovalAnswered { decision, .. } => {
                self.within(|| info!(decision = words::decided(decision).0, "approval answered"));
            }
            Event::Finished { outcome: ended } => {
                if let Some(run) = self.run.take() {
                    run.record("jarre.agent.outcome", outcome(ended));
                    if !matches!(ended, Outcome::Done { .. }) {
                        run.record("error.type", outcome(ended));
                    }
                }
                *self = Self::default();
            }
            _ => {}
        }
    }

    /// Makes something within the span of the run.
    fn within<T>(&self, make: impl FnOnce() -> T) -> T {
        match &self.run {
            Some(run) => run.in_scope(make),
            None => make(),
        }
    }
}

fn of_tool(call: &ToolCall) -> Span {
    let name = span_name(operation::EXECUTE_TOOL, &call.name);
    info_span!(
        "execute_tool",
        otel.name = name,
        gen_ai.operation.name = operation::EXECUTE_TOOL,
        gen_ai.tool.name = call.name,
        gen_ai.tool.call.id = call.id,
        error.type = Empty,
    )
}
