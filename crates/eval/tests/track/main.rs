//! What a database of experiments keeps, answers and survives.
#![expect(clippy::unwrap_used, reason = "tests")]

mod artifacts;
mod bundles;
mod feedback;
mod kill;
mod listing;
mod metrics;
mod mlflow;
mod opening;
mod process;
mod prompts;
mod runs;
mod samples;
mod sharing;
mod support;
