use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Clock, Message, Timestamp, ToolSpec, macros::setters};

/// A conversation and how it is to be answered.
///
/// ```
/// use jarre_core::{ChatRequest, Message, Sampling};
///
/// let request = ChatRequest::new([Message::system("be brief"), Message::user("why is the sky blue?")])
///     .with_sampling(Sampling::greedy().with_max_tokens(64).with_stop(["\n\n"]));
/// assert_eq!(request.sampling.temperature, Some(0.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatRequest {
    /// Follows the request through logs, traces and retries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RequestId>,
    /// The conversation so far, oldest first.
    pub messages: Vec<Message>,
    /// How tokens are chosen and how many.
    #[serde(default)]
    pub sampling: Sampling,
    /// Tools that the model may ask to be called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolSpec>,
    /// Whether it may, must or must not.
    #[serde(default)]
    pub tool_choice: ToolChoice,
    /// What the text of the answer has to be.
    #[serde(default)]
    pub response_format: ResponseFormat,
    /// When an answer is no longer wanted. A point in time, not a budget: layers, queues and retries pass it on as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

impl ChatRequest {
    /// A request to continue `messages`, everything else left to the model.
    pub fn new(messages: impl IntoIterator<Item = Message>) -> Self {
        Self { messages: messages.into_iter().collect(), ..Self::default() }
    }

    /// A request of one user message.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new([Message::user(text)])
    }

    setters! {
        /// Names the request.
        with_id(id: impl Into<RequestId>);
        /// Sets when an answer is no longer wanted.
        with_deadline(deadline: Timestamp);
    }

    /// Adds a message at the end.
    pub fn with_message(mut self, message: Message) -> Self {
        self.messages.push(message);
        self
    }

    /// Sets all sampling parameters.
    pub fn with_sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// Adds a tool that the model may ask to be called.
    pub fn with_tool(mut self, tool: ToolSpec) -> Self {
        self.tools.push(tool);
        self
    }

    /// Sets whether the model may, must or must not call tools.
    pub fn with_tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = choice;
        self
    }

    /// Sets what the text of the answer has to be.
    pub fn with_response_format(mut self, format: ResponseFormat) -> Self {
        self.response_format = format;
        self
    }

    /// Sets the deadline `budget` from now.
    pub fn with_timeout(self, clock: &dyn Clock, budget: Duration) -> Self {
        self.with_deadline(clock.timestamp().saturating_add(budget))
    }

    /// What is left until the deadline at `now`: zero once it has passed, `None` where there is none.
    pub fn remaining(&self, now: Timestamp) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.since(now))
    }
}

/// Names a request; nothing but equality is to be read out of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(String);

impl RequestId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Into<String>> From<S> for RequestId {
    fn from(id: S) -> Self {
        Self(id.into())
    }
}

/// How tokens are chosen and how many; `None` leaves a parameter to the model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Sampling {
    /// Divides the logits; 0 always takes the likeliest token, 1 samples from the model's own distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f32>,
    /// Keeps the likeliest tokens that together reach this probability, in (0, 1] (arXiv 1904.09751).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f32>,
    /// Keeps that many of the likeliest tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    /// Keeps tokens at least this fraction as likely as the likeliest, in [0, 1] (arXiv 2407.01082).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f32>,
    /// Makes sampling repeatable on models with [`Capability::Seed`](crate::Capability::Seed).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The most tokens that the model writes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// Texts that end the answer; they are not part of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Taken from the logit of each token that was written already, in [-2, 2].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f32>,
    /// Taken from the logit of a token once for each time it was written already, in [-2, 2].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f32>,
    /// Divides positive and multiplies negative logits of tokens of prompt and answer; 1 changes nothing (arXiv 1909.05858).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f32>,
    /// Holds the surprise of what is written at a level, in the place of `top_p` and its like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirostat: Option<Mirostat>,
}

/// Mirostat 2.0 (arXiv 2007.14966).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mirostat {
    /// The surprise aimed at, in bits a token, above 0.
    pub tau: f32,
    /// How fast the limit follows the surprise that was seen, in (0, 1].
    pub eta: f32,
}

impl Default for Mirostat {
    /// 5 bits and 0.1, as in the paper's experiments.
    fn default() -> Self {
        Self { tau: 5.0, eta: 0.1 }
    }
}

impl Sampling {
    /// Always the likeliest token.
    pub fn greedy() -> Self {
        Self::default().with_temperature(0.0)
    }

    setters! {
        /// Sets [`temperature`](Self::temperature).
        with_temperature(temperature: f32);
        /// Sets [`top_p`](Self::top_p).
        with_top_p(top_p: f32);
        /// Sets [`top_k`](Self::top_k).
        with_top_k(top_k: u32);
        /// Sets [`min_p`](Self::min_p).
        with_min_p(min_p: f32);
        /// Sets [`seed`](Self::seed).
        with_seed(seed: u64);
        /// Sets [`max_tokens`](Self::max_tokens).
        with_max_tokens(max_tokens: u32);
        /// Sets [`presence_penalty`](Self::presence_penalty).
        with_presence_penalty(presence_penalty: f32);
        /// Sets [`frequency_penalty`](Self::frequency_penalty).
        with_frequency_penalty(frequency_penalty: f32);
        /// Sets [`repetition_penalty`](Self::repetition_penalty).
        with_repetition_penalty(repetition_penalty: f32);
        /// Sets [`mirostat`](Self::mirostat).
        with_mirostat(mirostat: Mirostat);
    }

    /// Sets [`stop`](Self::stop).
    pub fn with_stop<S: Into<String>>(mut self, stop: impl IntoIterator<Item = S>) -> Self {
        self.stop = stop.into_iter().map(Into::into).collect();
        self
    }
}

/// Whether the model may, must or must not call tools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// It must not.
    None,
    /// It must call at least one.
    Required,
    /// It must call this one.
    Tool {
        /// The tool's name.
        name: String,
    },
}

impl ToolChoice {
    pub(super) fn is_offered(&self, tools: &[ToolSpec]) -> bool {
        match self {
            Self::Auto | Self::None => true,
            Self::Required => !tools.is_empty(),
            Self::Tool { name } => tools.iter().any(|tool| tool.name == *name),
        }
    }
}

/// What the text of an answer has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseFormat {
    /// Anything.
    #[default]
    Text,
    /// One JSON object.
    JsonObject,
    /// JSON that a schema allows.
    JsonSchema {
        /// Names the schema to the model.
        name: String,
        /// The JSON Schema.
        schema: Value,
    },
}

impl ResponseFormat {
    /// JSON that `schema` allows.
    pub fn json_schema(name: impl Into<String>, schema: Value) -> Self {
        Self::JsonSchema { name: name.into(), schema }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Permission, testing::ManualClock};

    fn full_request() -> ChatRequest {
        let sampling = Sampling::default()
            .with_temperature(0.5)
            .with_top_p(0.25)
            .with_top_k(40)
            .with_min_p(0.125)
            .with_seed(u64::MAX)
            .with_max_tokens(9)
            .with_stop(["END"])
            .with_presence_penalty(1.0)
            .with_frequency_penalty(-1.0)
            .with_repetition_penalty(1.5)
            .with_mirostat(Mirostat { tau: 3.0, ..Mirostat::default() });
        ChatRequest::user("hi")
            .with_id("r-1")
            .with_message(Message::assistant("yes?"))
            .with_sampling(sampling)
            .with_tool(ToolSpec::new("t", "a tool", json!({"type": "object"}), Permission::Read))
            .with_tool_choice(ToolChoice::Tool { name: "t".into() })
            .with_response_format(ResponseFormat::json_schema("s", json!({"type": "object"})))
            .with_deadline(Timestamp::from_unix_micros(7))
    }

    #[test]
    fn every_field_goes_over_the_wire_and_back() {
        let wire = serde_json::to_value(full_request()).unwrap();
        assert_eq!(
            wire["sampling"],
            json!({"temperature": 0.5, "top_p": 0.25, "top_k": 40, "min_p": 0.125, "seed": u64::MAX, "max_tokens": 9, "stop": ["END"],
                "presence_penalty": 1.0, "frequency_penalty": -1.0, "repetition_penalty": 1.5, "mirostat": {"tau": 3.0, "eta": 0.1_f32}})
        );
        assert_eq!(wire["tool_choice"], json!({"type": "tool", "name": "t"}));
        assert_eq!(wire["response_format"], json!({"type": "json_schema", "name": "s", "schema": {"type": "object"}}));
        assert_eq!((&wire["id"], &wire["deadline"]), (&json!("r-1"), &json!(7)));
        assert_eq!(serde_json::from_value::<ChatRequest>(wire).unwrap(), full_request());
    }

    #[test]
    fn messages_alone_make_a_request() {
        let request: ChatRequest = serde_json::from_value(json!({"messages": []})).unwrap();
        assert_eq!(request, ChatRequest::new([]));
    }

    #[test]
    fn a_budget_becomes_a_deadline_and_runs_out() {
        let clock = ManualClock::new();
        let request = ChatRequest::user("hi").with_timeout(&clock, Duration::from_secs(3));
        clock.advance(Duration::from_secs(2));
        assert_eq!(request.remaining(clock.timestamp()), Some(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(2));
        assert_eq!(request.remaining(clock.timestamp()), Some(Duration::ZERO));
        assert_eq!(ChatRequest::user("hi").remaining(clock.timestamp()), None);
    }
}
