//! A chat model behind guards.
#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod calls;
mod chunks;
#[path = "../pipeline/guards.rs"]
mod guards;
mod memory;
mod models;
mod requests;
mod restoring;
