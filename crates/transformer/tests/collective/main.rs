//! Rings of threads and of processes: what operations give, and what is said when a worker is lost or errs.
#![expect(clippy::unwrap_used, reason = "tests")]

mod faults;
mod fixture;
mod meeting;
mod operations;
mod processes;
