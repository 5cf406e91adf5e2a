//! The program `jarre-kv`, as a process: one that serves a file, and three that are a cluster.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../addresses/mod.rs"]
mod addresses;
#[path = "../authority/mod.rs"]
mod authority;
mod clients;
mod cluster;
mod commands;
mod faults;
mod file;
#[path = "../histories/mod.rs"]
#[expect(dead_code, reason = "locks, ages and reports are those of clusters in simulated time")]
mod histories;
mod members;
mod network;
mod operators;
mod process;
mod tls;
