//! Attempts to get out of the sandbox, or to harm the machine from within it. Each says what is tried, and asserts that it was stopped, and by
//! what where that can be told.
//!
//! Attempts are shell and Python scripts. Where the machine lacks Python, or a layer, the test says so and ends there.
#![expect(clippy::unwrap_used, reason = "tests")]
#![cfg(target_os = "linux")]

#[path = "../place/mod.rs"]
mod place;

mod attempt;
mod devices;
mod disk;
mod files;
mod kernel;
mod memory;
mod network;
mod output;
mod privileges;
mod processes;
