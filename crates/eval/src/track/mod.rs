//! Experiments, runs and what they leave behind, in one `SQLite` file: [`Tracker`].
//!
//! - runs with parameters, tags, notes, provenance and a lease, so that one whose process died is seen;
//! - metrics by step, written through [`RunSink`] by anything that logs to a [`MetricSink`](jarre_core::MetricSink);
//! - samples with their scores, of which every version is kept, for resuming and comparing;
//! - answers of models, kept under a digest of all that they depend on.

mod about;
mod cache;
mod experiment;
mod fault;
mod lease;
mod metric;
mod migrate;
mod open;
mod run;
mod run_id;
mod sample;
mod sample_rows;
mod score;
mod score_rows;
mod sink;
mod tracker;

pub use cache::CacheStats;
pub use experiment::Experiment;
pub use lease::RunLease;
pub use metric::{LatestMetric, MetricPoint};
pub use run::{NewRun, Run, RunStatus};
pub use run_id::RunId;
pub use sample::{SampleCursor, SamplePage, SampleTexts};
pub use score::ScoreVersion;
pub use sink::RunSink;
pub use tracker::{Durability, Tracker, TrackerOptions};
