//! Logs in a store: what is appended is there, whole and in order; what was changed is found; approvals are given once, and effects happen once.
#![expect(clippy::unwrap_used, reason = "tests")]

mod appending;
mod approvals;
mod damage;
mod effects;
mod following;
mod moving;
mod sample;
mod schema;
