//! Typed answers: a model is told a schema, held to it, and asked again with what was wrong.

mod answer;
mod ask;
mod attempt;
mod config;
mod prompt;
mod read;
mod stream;

pub use answer::{Answer, Attempt, Outcome, Unanswered};
pub use ask::Structured;
pub use config::StructuredConfig;
pub use stream::{Answering, Progress};
