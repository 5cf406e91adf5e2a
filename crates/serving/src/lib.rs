#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod adapter;
pub mod block_manager;
mod chat;
mod draft_model;
mod drafted;
mod draws;
mod engine;
mod error;
mod grammar;
mod llm;
mod model;
mod model_runner;
mod ngram;
mod output;
mod pooled;
mod prompt;
mod proposer;
pub mod replay;
mod request;
pub mod scheduler;
pub mod sequence;
#[cfg(feature = "server")]
pub mod server;
pub mod tensor_parallel;
mod tool_calls;

pub use adapter::LoraAdapter;
pub use block_manager::{BlockCopy, BlockEvent, BlockManager, CacheConfig};
pub use chat::ChatEngine;
pub use draft_model::{DraftModel, DraftOptions};
pub use engine::{BlockResidency, Engine, EngineConfig, EngineCore, Observer, OutputStream, RequestKey, StepStats};
pub use error::{Error, Result};
pub use grammar::Grammar;
#[cfg(feature = "grammar")]
pub use grammar::{GrammarCompiler, Matcher, TokenMask};
pub use jarre_transformer::generate::{Sampled, SamplingParams};
pub use jarre_transformer::paged::KvType;
pub use llm::{Completion, LLM};
pub use model::{Model, ServeOptions, Speculative};
pub use model_runner::{ModelRunner, PagedRunner};
pub use ngram::NgramProposer;
pub use output::{AdapterStats, Chunk, Finish, Output, RequestStats, StopReason};
pub use pooled::PooledRequest;
pub use proposer::{Proposer, Text};
pub use request::Request;
pub use scheduler::{Policy, ScheduledSequence, Scheduler, SchedulerConfig, SchedulerOutput, SchedulerStats, StepResult};
pub use sequence::{NewSequence, Sequence, SequenceId};
pub use tool_calls::{ToolCallParser, ToolEvent, ToolFormat};
