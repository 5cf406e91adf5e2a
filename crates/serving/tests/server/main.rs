//! The HTTP server, over a real small model.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in what it shares with others too")]
#![expect(clippy::needless_pass_by_value, reason = "bodies are written where they are sent")]
#![expect(clippy::float_cmp, reason = "counts are exact")]

mod access;
mod adapters;
mod chat;
mod completions;
mod connections;
mod dashboard;
mod drain;
mod encoders;
#[cfg(feature = "grammar")]
mod grammars;
mod harness;
mod limits;
mod lost;
mod metrics;
mod refusals;
mod tokens;
mod tools;
mod traces;
