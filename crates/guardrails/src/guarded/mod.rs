//! A chat model behind guards.
//!
//! [`Guarded`] is a [`ChatModel`](jarre_core::ChatModel) around another one. A [`Pipeline`](crate::pipeline::Pipeline) reads what goes to
//! the model and what comes back, at four stages:
//!
//! | stage | what is read | where it is stopped |
//! |---|---|---|
//! | `input` | the text parts of user messages, and of the assistant's earlier ones | the request is refused, by an error or by an answer |
//! | `context` | tool results, and what [`Guarded::with_retrieved`] says was retrieved | it is withheld from the model, or the request refused |
//! | `tool_call` | the arguments of the calls that the model makes | the call is withheld |
//! | `output` | the text that the model writes | the stream ends there, and the model is stopped |
//!
//! ```
//! use std::sync::Arc;
//! use jarre_core::{ChatModel, ChatRequest, SystemClock, testing::ScriptedModel};
//! use jarre_guardrails::{guarded::{Guarded, GuardedConfig}, pipeline::Pipeline};
//!
//! # pollster::block_on(async {
//! let pipeline = Pipeline::new(Arc::new(SystemClock::new())); // and its layers
//! let model = Guarded::new(ScriptedModel::new().with_text("good morning"), pipeline, GuardedConfig::default());
//! assert_eq!(model.chat(ChatRequest::user("hello")).await?.message.text(), "good morning");
//! # Ok::<(), jarre_core::Error>(()) }).unwrap();
//! ```

mod answer;
mod arguments;
mod config;
mod memory;
mod model;
mod request;
mod stream;
mod verdicts;

pub use config::{GuardedConfig, OnBlock, OnContextBlock};
pub use memory::Memory;
pub use model::Guarded;
pub use verdicts::Verdicts;
