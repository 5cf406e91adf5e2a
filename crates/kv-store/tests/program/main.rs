//! The program `jarre-kv`, as a process: one that serves a file, and three that are a cluster.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../authority/mod.rs"]
mod authority;
mod cluster;
mod commands;
mod file;
mod operators;
mod process;
mod tls;
