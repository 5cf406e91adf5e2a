//! The built program, as a person or a script meets it: arguments in; exit code, what it writes, and what lies in the store after it.
//! Cargo does not build it for these tests:
//! `cargo build -p phase4_coding_agent --features remote,server --example phase4_coding_agent` does.
//!
//! What runs commands needs the sandbox. Where the machine lacks a layer of it, the test says which, and ends there.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

mod approvals;
mod arguments;
#[path = "../../../../crates/agent/tests/dashboard/client.rs"]
mod client;
mod dashboard;
mod exec;
mod folder;
mod models;
mod program;
mod replays;
mod runs;
#[allow(dead_code, reason = "the tests of the client need more of it")]
#[path = "../../../../crates/providers/tests/providers/server.rs"]
mod server;
