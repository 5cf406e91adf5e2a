//! Continuous batching: the pure engine, and the thread that runs one.

mod admission;
mod answer;
mod batch;
mod core;
mod handle;
mod live;
mod observer;
mod pooling;
mod prompt_scores;
mod residency;
mod turn;
mod worker;

pub use self::core::{EngineConfig, EngineCore, RequestKey};
pub use self::handle::{Engine, OutputStream};
pub use self::observer::{Observer, StepStats};
pub use self::residency::BlockResidency;
