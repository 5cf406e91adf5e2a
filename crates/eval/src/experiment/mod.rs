//! Experiments: a file that says what is asked of which model, and a runner that asks.

mod call;
mod continuation;
mod dataset;
mod judge_spec;
mod limits;
mod machine;
mod method;
mod nobody;
mod progress;
mod record;
mod rescore;
mod retries;
mod runner;
mod sampling;
mod scoring;
mod spec;
mod sweep;
mod task;
mod variant;

pub use call::Call;
pub use dataset::{Dataset, DatasetSpec, Item};
pub use judge_spec::JudgeSpec;
pub use limits::Limits;
pub use method::{Method, Shots};
pub use nobody::Nobody;
pub use progress::{Progress, Stop, Summary};
pub use rescore::rescore;
pub use retries::Retries;
pub use runner::Runner;
pub use scoring::{SampleJudge, Scoring};
pub use spec::{Experiment, MetricSpec, ModelSpec, PromptSpec, RecordedScore};
pub use sweep::Sweep;
pub use task::{Prompting, Recorded, Reply, Task};
pub use variant::Variant;

/// Runs what waits for a disk away from those who wait for a network.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> crate::Result<T> + Send + 'static) -> crate::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
