#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

pub mod base64;
mod chat;
mod classify;
mod clock;
mod embed;
mod error;
pub mod future;
mod macros;
mod message;
mod metrics;
mod rerank;
pub mod telemetry;
pub mod testing;
mod tool;
mod usage;

pub use chat::{
    Capability, ChatAccumulator, ChatChunk, ChatModel, ChatRequest, ChatResponse, Delta, FinishReason, Mirostat, ModelInfo, RequestId,
    ResponseFormat, Sampling, Timings, ToolChoice,
};
pub use classify::{Classification, ClassifierInfo, LabelScore, TextClassifier};
pub use clock::{Clock, SystemClock, Timestamp};
pub use embed::{Embedder, EmbedderInfo, Embeddings, TokenCounter};
pub use error::{Error, ErrorKind, Result};
pub use future::{BoxFuture, BoxStream};
pub use message::{Image, Message, Part, Role, ToolCall, ToolResult};
pub use metrics::{MetricSink, NullSink};
pub use rerank::Reranker;
pub use tool::{Permission, Tool, ToolContext, ToolOutput, ToolSpec};
pub use usage::{Cost, Price, Usage};
