//! The index from outside: what it finds, and what survives of it.
#![expect(clippy::unwrap_used, reason = "tests")]

#[cfg(feature = "hnsw")]
mod ann;
mod crash;
mod damage;
mod fixture;
mod model;
mod processes;
mod readers;
mod search;
mod update;
mod writing;
