//! What a database of experiments keeps, answers and survives.
#![expect(clippy::unwrap_used, reason = "tests")]

mod artifacts;
mod feedback;
mod kill;
mod listing;
mod metrics;
mod opening;
mod process;
mod prompts;
mod runs;
mod samples;
mod sharing;
mod support;
