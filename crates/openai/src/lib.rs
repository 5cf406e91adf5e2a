#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod chat;
mod completion;
mod convert;
mod decode;
mod embedding;
mod error;
mod lenient;
mod logprobs;
mod model;
mod prompt;
mod sampling;
mod score;
pub mod sse;
mod structured;
mod tokenize;
mod usage;

pub use chat::{
    AssistantMessage, AssistantTag, ChatChoice, ChatCompletion, ChatCompletionChunk, ChatCompletionChunkTag, ChatCompletionRequest,
    ChatCompletionTag, ChatMessage, ChunkChoice, ChunkDelta, Content, ContentPart, FunctionCall, FunctionDelta, FunctionName, FunctionSpec,
    FunctionTag, ImageDetail, ImageUrl, JsonSchemaFormat, ResponseFormat, StreamOptions, Tool, ToolCall, ToolCallDelta, ToolChoice,
    ToolChoiceMode,
};
pub use completion::{Completion, CompletionChoice, CompletionRequest, CompletionTag};
pub use convert::{ChunkReader, ChunkWriter, StreamEvent};
pub use embedding::{Embedding, EmbeddingRequest, EmbeddingResponse, EmbeddingTag, EncodingFormat, ListTag, Vector};
pub use error::{ApiError, ErrorBody, ErrorResponse, Result};
pub use logprobs::{ChatLogprobs, CompletionLogprobs, PromptLogprob, PromptLogprobs, StopReason, TokenLogprob, TopLogprob};
pub use model::{LoadLoraAdapterRequest, Model, ModelList, ModelTag, UnloadLoraAdapterRequest};
pub use prompt::{Prompt, PromptItem};
pub use sampling::{MAX_CHOICES, MAX_LOGPROBS, MAX_STOPS, Mirostat, SamplingParams, TopK};
pub use score::{OneOrMany, RerankDocument, RerankRequest, RerankResponse, RerankResult, Score, ScoreRequest, ScoreResponse, ScoreTag};
pub use structured::StructuredOutputs;
pub use tokenize::{DetokenizeRequest, DetokenizeResponse, TokenizeInput, TokenizeRequest, TokenizeResponse};
pub use usage::{PromptTokensDetails, Usage};
