//! The proxy before a server that says what it is told to.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../serve/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the arguments are read by the program alone")]
mod serve;

mod answers;
mod client;
mod guards;
mod limits;
mod others;
mod upstream;
