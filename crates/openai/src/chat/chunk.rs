use jarre_core::FinishReason;
use serde::{Deserialize, Serialize};

use super::{AssistantTag, FunctionTag};
use crate::{
    Usage,
    lenient::{constants, or_default},
    logprobs::{ChatLogprobs, StopReason},
};

constants! {
    /// The text `chat.completion.chunk`.
    ChatCompletionChunkTag = "chat.completion.chunk";
}

/// A piece of a streamed answer: the data of one event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatCompletionChunk {
    /// The server's name for the answer, the same in all its chunks.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// `chat.completion.chunk`.
    pub object: ChatCompletionChunkTag,
    /// When the answer was begun, in seconds since the start of 1970 in UTC.
    #[serde(deserialize_with = "or_default")]
    pub created: u64,
    /// The model that answers.
    #[serde(deserialize_with = "or_default")]
    pub model: String,
    /// What is added to which answer; empty in a chunk of usage alone.
    #[serde(deserialize_with = "or_default")]
    pub choices: Vec<ChunkChoice>,
    /// The tokens used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Names what the model runs on, so that a change shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
}

/// What is added to one answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChunkChoice {
    /// Which answer, from 0.
    #[serde(deserialize_with = "or_default")]
    pub index: u32,
    /// What is added.
    #[serde(deserialize_with = "or_default")]
    pub delta: ChunkDelta,
    /// The log probabilities of the tokens that are added.
    pub logprobs: Option<ChatLogprobs>,
    /// Why it ended; `null` until it does.
    pub finish_reason: Option<FinishReason>,
    /// The stop text or token that ended it (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<StopReason>,
}

/// What is added to a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChunkDelta {
    /// `assistant`, in an answer's first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<AssistantTag>,
    /// More text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// More of why nothing else is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// More of tool calls.
    #[serde(deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCallDelta>,
}

/// More of a tool call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ToolCallDelta {
    /// Which of the message's calls, from 0.
    #[serde(deserialize_with = "or_default")]
    pub index: u32,
    /// Links the call to its answer; in the call's first delta.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `function`; in the call's first delta.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<FunctionTag>,
    /// What is added.
    #[serde(deserialize_with = "or_default")]
    pub function: FunctionDelta,
}

/// More of a function's name and arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionDelta {
    /// Its name; in the call's first delta.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What follows of the arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
}
