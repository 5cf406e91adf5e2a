//! Chat completions: `POST /v1/chat/completions`.

mod chunk;
mod format;
mod message;
mod request;
mod response;
mod tool;

pub use chunk::{ChatCompletionChunk, ChatCompletionChunkTag, ChunkChoice, ChunkDelta, FunctionDelta, ToolCallDelta};
pub use format::{JsonSchemaFormat, ResponseFormat};
pub use message::{ChatMessage, Content, ContentPart, ImageDetail, ImageUrl};
pub use request::{ChatCompletionRequest, StreamOptions};
pub use response::{AssistantMessage, AssistantTag, ChatChoice, ChatCompletion, ChatCompletionTag};
pub use tool::{FunctionCall, FunctionName, FunctionSpec, FunctionTag, Tool, ToolCall, ToolChoice, ToolChoiceMode};

pub(crate) use message::read_messages;
pub(crate) use request::stream_options;
pub(crate) use tool::read_tools;
