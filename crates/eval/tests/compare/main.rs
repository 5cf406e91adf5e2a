//! Comparisons and gates over whole runs.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod comparisons;
mod gates;
mod route_llm;
mod samples;
mod seeds;
