use std::sync::{Mutex, MutexGuard, PoisonError};

use jarre_agent::{CodecKind, Event, Purpose, Record};
use jarre_core::{
    BoxFuture, Capability, ChatModel, ChatRequest, ChatResponse, FinishReason, Message, ModelInfo, Part, ResponseFormat, Result, Role,
    ToolCall, ToolChoice, Usage,
};
use serde::Serialize;
use serde_json::Value;

/// Who acts without a language model: a script, or a search.
pub(crate) trait Actor: Send {
    /// The plan, in words.
    fn plan(&mut self) -> String;

    /// The next step. `seen` is what the last call returned.
    fn act(&mut self, seen: &str) -> Turn;

    /// What it makes of a failure.
    fn reflect(&mut self, seen: &str) -> Analysis;
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Turn {
    /// A call of a tool, with the thought before it.
    Call { thought: String, tool: &'static str, arguments: Value },
    /// A call whose arguments are written as they are: what cannot be read.
    Torn { tool: &'static str, arguments: String },
    /// Text and nothing else.
    Text(String),
}

/// What failed, why, and what to do otherwise: what the loop asks for in a reflection.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Analysis {
    pub(crate) what: String,
    pub(crate) why: String,
    pub(crate) instead: String,
}

/// An actor as a model, so that the loop, the log and the bench see no difference.
pub(crate) struct Acting<A> {
    info: ModelInfo,
    codec: CodecKind,
    inner: Mutex<Inner<A>>,
}

struct Inner<A> {
    actor: A,
    calls: u64,
}

/// Bytes of a token, where a model that has none is charged: tokens of these models are an estimate.
const BYTES_PER_TOKEN: usize = 4;

impl<A: Actor> Acting<A> {
    /// `actor` under `name`, writing calls as `codec` has them.
    pub(crate) fn new(name: &str, codec: CodecKind, actor: A) -> Self {
        let abilities = [Capability::Tools, Capability::JsonObject, Capability::JsonSchema];
        let info = abilities.into_iter().fold(ModelInfo::new("jarre", name).with_context_tokens(128_000), ModelInfo::with_capability);
        Self { info, codec, inner: Mutex::new(Inner { actor, calls: 0 }) }
    }

    /// Goes on where the run `records` stopped: the actor acts again on what it saw, and nobody reads what it says.
    pub(crate) fn after(self, records: &[Record]) -> Self {
        let (mut seen, mut asked) = (String::new(), None);
        for record in records {
            match &record.event {
                Event::ModelCalled { purpose, .. } => asked = Some(*purpose),
                Event::ModelAnswered { .. } => self.inner().again(asked, &seen),
                Event::ToolFinished { output, .. } => seen.clone_from(&output.text),
                _ => {}
            }
        }
        self
    }

    fn inner(&self) -> MutexGuard<'_, Inner<A>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &ChatRequest) -> ChatResponse {
        let seen = last_result(request);
        let mut inner = self.inner();
        inner.calls += 1;
        let (message, reason) = match asked(request) {
            Purpose::Reflect => (Message::assistant(json(&inner.actor.reflect(&seen))), FinishReason::Stop),
            Purpose::Act => {
                let call = inner.calls;
                written(inner.actor.act(&seen), self.codec, call)
            }
            _ => (Message::assistant(inner.actor.plan()), FinishReason::Stop),
        };
        let usage = Usage::new(tokens(request.messages.iter()), tokens([&message]));
        ChatResponse::new(message, reason).with_usage(usage)
    }
}

impl<A: Actor> ChatModel for Acting<A> {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn chat(&self, request: ChatRequest) -> BoxFuture<'_, Result<ChatResponse>> {
        Box::pin(async move { Ok(self.answer(&request)) })
    }
}

impl<A: Actor> Inner<A> {
    fn again(&mut self, purpose: Option<Purpose>, seen: &str) {
        self.calls += 1;
        match purpose {
            Some(Purpose::Act) => drop(self.actor.act(seen)),
            Some(Purpose::Reflect) => drop(self.actor.reflect(seen)),
            _ => drop(self.actor.plan()),
        }
    }
}

/// What the loop asks for, which a language model reads from the words.
fn asked(request: &ChatRequest) -> Purpose {
    let by_tools = !request.tools.is_empty() && request.tool_choice != ToolChoice::None;
    let by_text = request.sampling.stop.iter().any(|stop| stop.contains("Observation:"));
    match request.response_format {
        ResponseFormat::Text if by_tools || by_text => Purpose::Act,
        ResponseFormat::Text => Purpose::Plan,
        _ => Purpose::Reflect,
    }
}

/// The text of the last result of a tool, in either way of writing it.
fn last_result(request: &ChatRequest) -> String {
    let native = request.messages.iter().rev().flat_map(|message| message.parts.iter().rev()).find_map(|part| match part {
        Part::ToolResult(result) => Some(result.text.clone()),
        _ => None,
    });
    let said = request.messages.iter().rev().filter(|message| message.role == Role::User).map(Message::text);
    native.or_else(|| said.into_iter().find(|text| text.starts_with("Observation:"))).unwrap_or_default()
}

fn written(turn: Turn, codec: CodecKind, call: u64) -> (Message, FinishReason) {
    let (thought, tool, arguments) = match turn {
        Turn::Text(text) => return (Message::assistant(text), FinishReason::Stop),
        Turn::Call { thought, tool, arguments } => (thought, tool, arguments.to_string()),
        Turn::Torn { tool, arguments } => (String::new(), tool, arguments),
    };
    match codec {
        CodecKind::Native => {
            (Message::assistant(thought).with_part(ToolCall::new(format!("call-{call}"), tool, arguments)), FinishReason::ToolCalls)
        }
        CodecKind::React => {
            (Message::assistant(format!("Thought: {thought}\nAction: {tool}\nAction Input: {arguments}")), FinishReason::Stop)
        }
    }
}

fn json(analysis: &Analysis) -> String {
    serde_json::to_string(analysis).unwrap_or_default()
}

fn tokens<'a>(messages: impl IntoIterator<Item = &'a Message>) -> u64 {
    let parts = messages.into_iter().flat_map(|message| &message.parts);
    let bytes: usize = parts.map(length).sum();
    bytes.div_ceil(BYTES_PER_TOKEN) as u64
}

fn length(part: &Part) -> usize {
    match part {
        Part::Text { text } => text.len(),
        Part::ToolCall(call) => call.name.len() + call.arguments.len(),
        Part::ToolResult(result) => result.text.len(),
        _ => 0,
    }
}
