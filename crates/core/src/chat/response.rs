use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ChatAccumulator, ChatChunk, Delta};
use crate::{
    Message, Part, Result, Usage,
    future::{self, BoxStream},
    macros::setters,
};

/// A model's whole answer.
///
/// ```
/// use jarre_core::{ChatResponse, FinishReason, Message, Usage};
///
/// let response = ChatResponse::new(Message::assistant("because of Rayleigh scattering"), FinishReason::Stop)
///     .with_usage(Usage::new(12, 5));
/// assert_eq!(response.message.text(), "because of Rayleigh scattering");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatResponse {
    /// The provider's name for the answer, where it gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The model that answered, where it is known: not always the one that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the model said.
    pub message: Message,
    /// Why it ended there.
    pub finish_reason: FinishReason,
    /// The tokens used; zeros where the model does not count.
    #[serde(default)]
    pub usage: Usage,
    /// How long it took, as the implementation measured it.
    #[serde(default)]
    pub timings: Timings,
}

impl ChatResponse {
    /// An answer without usage or timings.
    pub fn new(message: Message, finish_reason: FinishReason) -> Self {
        Self { id: None, model: None, message, finish_reason, usage: Usage::default(), timings: Timings::default() }
    }

    setters! {
        /// Sets the provider's name for the answer.
        with_id(id: impl Into<String>);
        /// Sets the model that answered.
        with_model(model: impl Into<String>);
    }

    /// Sets the tokens used.
    pub fn with_usage(mut self, usage: Usage) -> Self {
        self.usage = usage;
        self
    }

    /// Sets how long it took.
    pub fn with_timings(mut self, timings: Timings) -> Self {
        self.timings = timings;
        self
    }

    /// Reads `stream` to its end and folds it: how a model that streams implements [`ChatModel::chat`](super::ChatModel::chat).
    ///
    /// # Errors
    /// The stream's first error, or that of [`ChatAccumulator`].
    pub async fn collect(mut stream: BoxStream<'_, Result<ChatChunk>>) -> Result<Self> {
        let mut answer = ChatAccumulator::new();
        while let Some(chunk) = future::next(&mut stream).await {
            answer.push(chunk?)?;
        }
        answer.finish()
    }

    /// The answer as chunks that fold to it: one a part, then one with the rest.
    pub fn into_chunks(self) -> Vec<ChatChunk> {
        let deltas = self.message.parts.into_iter().enumerate().map(|(index, part)| whole_part(index, part));
        let mut chunks: Vec<ChatChunk> = deltas.map(ChatChunk::from).collect();
        chunks.push(ChatChunk {
            id: self.id,
            model: self.model,
            deltas: Vec::new(),
            finish_reason: Some(self.finish_reason),
            usage: Some(self.usage),
            timings: Some(self.timings),
        });
        chunks
    }
}

fn whole_part(index: usize, part: Part) -> Delta {
    match part {
        Part::Text { text } => Delta::Text { index, text },
        Part::ToolCall(call) => Delta::ToolCall { index, id: Some(call.id), name: Some(call.name), arguments: call.arguments },
        part => Delta::Part { index, part },
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FinishReason {
    /// The model was done, or wrote a stop text.
    Stop,
    /// The token limit or the end of the context was reached: the answer is cut off.
    Length,
    /// The model waits for the results of its tool calls.
    ToolCalls,
    /// A policy cut the answer off.
    ContentFilter,
    /// A reason that this crate has no name for.
    #[serde(other)]
    Other,
}

/// How long an answer took, from the moment the request was handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// Until the first token (TTFT); `None` where the implementation cannot tell.
    pub time_to_first_token: Option<Duration>,
    /// Until the last.
    pub total: Duration,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_response_goes_over_the_wire_and_back() {
        let timings = Timings { time_to_first_token: Some(Duration::from_millis(30)), total: Duration::from_secs(1) };
        let response = ChatResponse::new(Message::assistant("a"), FinishReason::ContentFilter)
            .with_id("x")
            .with_model("m")
            .with_usage(Usage::new(1, 2))
            .with_timings(timings);
        let wire = serde_json::to_value(&response).unwrap();
        assert_eq!(wire["finish_reason"], "content_filter");
        assert_eq!(serde_json::from_value::<ChatResponse>(wire).unwrap(), response);
    }

    #[test]
    fn an_unknown_finish_reason_is_other() {
        assert_eq!(serde_json::from_value::<FinishReason>(json!("pause_turn")).unwrap(), FinishReason::Other);
    }
}
