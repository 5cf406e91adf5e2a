//! Members of a cluster on the loopback interface, in one process.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../addresses/mod.rs"]
mod addresses;
mod conformance;
mod deaf;
mod failures;
mod group;
mod leases;
mod membership;
mod rate;
mod reigns;
