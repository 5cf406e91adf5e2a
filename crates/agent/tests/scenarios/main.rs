//! What a run does, scenario by scenario: scripted models, tools in memory, and no time but what is moved.
#![expect(clippy::unwrap_used, reason = "tests")]

mod approvals;
mod budgets;
mod calls;
mod cancelling;
mod circles;
mod compaction;
mod failures;
mod folding;
mod injection;
mod kit;
mod malformed;
mod reflection;
mod resuming;
mod tests_that_lie;
