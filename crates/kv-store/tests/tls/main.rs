//! Members that speak TLS to each other.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../addresses/mod.rs"]
mod addresses;
#[path = "../authority/mod.rs"]
mod authority;
mod members;
mod transport;
