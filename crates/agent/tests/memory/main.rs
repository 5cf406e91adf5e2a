//! Reflections that are found by their failures, and notes that stay.
#![expect(clippy::unwrap_used, reason = "tests")]

mod failures;
mod notes;
mod ranking;
mod reflections;
