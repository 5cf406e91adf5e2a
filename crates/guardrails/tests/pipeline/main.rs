//! Pipelines of guards: how a text is cut makes no difference, and what layers and policies promise.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cuts;
mod guards;
mod layers;
mod policies;
mod sinks;
