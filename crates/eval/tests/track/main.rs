//! What a database of experiments keeps, answers and survives.
#![expect(clippy::unwrap_used, reason = "tests")]

mod artifacts;
mod feedback;
mod listing;
mod metrics;
mod prompts;
mod runs;
mod samples;
mod support;
