use jarre_core::FinishReason;
use serde::{Deserialize, Serialize};

use super::ToolCall;
use crate::{
    Usage,
    lenient::{constants, or_default},
    logprobs::{ChatLogprobs, PromptLogprobs, StopReason},
};

constants! {
    /// The text `chat.completion`.
    ChatCompletionTag = "chat.completion";
    /// The text `assistant`.
    AssistantTag = "assistant";
}

/// The whole answer to a [`ChatCompletionRequest`](crate::ChatCompletionRequest).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatCompletion {
    /// The server's name for the answer.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// `chat.completion`.
    pub object: ChatCompletionTag,
    /// When it was made, in seconds since the start of 1970 in UTC.
    #[serde(deserialize_with = "or_default")]
    pub created: u64,
    /// The model that answered.
    #[serde(deserialize_with = "or_default")]
    pub model: String,
    /// As many answers as were asked for.
    #[serde(deserialize_with = "or_default")]
    pub choices: Vec<ChatChoice>,
    /// The tokens used.
    pub usage: Option<Usage>,
    /// Names what the model ran on, so that a change shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// One entry a token of the prompt, the first empty (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_logprobs: Option<PromptLogprobs>,
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatChoice {
    /// Counts from 0.
    #[serde(deserialize_with = "or_default")]
    pub index: u32,
    /// What the model said.
    pub message: AssistantMessage,
    /// The log probabilities of its tokens, where they were asked for.
    pub logprobs: Option<ChatLogprobs>,
    /// Why it ended there.
    pub finish_reason: Option<FinishReason>,
    /// The stop text or token that ended it (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<StopReason>,
}

/// What the model said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AssistantMessage {
    /// `assistant`.
    pub role: AssistantTag,
    /// The text; `null` where there is none.
    pub content: Option<String>,
    /// Why nothing else was said.
    pub refusal: Option<String>,
    /// The tools that it asks for.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
}
