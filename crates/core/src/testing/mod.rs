//! Doubles of the contracts for tests, and the suites that implementations have to pass.
//!
//! The doubles keep the contracts themselves, need no network, model or time, and give the same results on every machine.

mod clock;
pub mod contract;
mod doubles;
mod hash_embedder;
mod scripted;

pub use clock::ManualClock;
pub use doubles::{FnTool, MemorySink};
pub use hash_embedder::HashEmbedder;
pub use scripted::ScriptedModel;
