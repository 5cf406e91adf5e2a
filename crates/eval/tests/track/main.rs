//! What a database of experiments keeps, answers and survives.
#![expect(clippy::unwrap_used, reason = "tests")]

mod runs;
mod samples;
mod support;
