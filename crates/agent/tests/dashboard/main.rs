//! A dashboard over real sockets on loopback.

#![expect(clippy::unwrap_used, reason = "tests")]

mod access;
mod approvals;
mod client;
mod live;
mod pages;
#[path = "../view/sample.rs"]
mod sample;
mod site;
mod slow;
mod watched;
