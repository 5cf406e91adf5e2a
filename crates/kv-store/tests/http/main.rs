//! The HTTP API, by its client and byte for byte.

#![expect(clippy::unwrap_used, reason = "tests")]

#[cfg(feature = "tls")]
#[path = "../authority/mod.rs"]
mod authority;
mod conformance;
mod etcd_json;
mod hostile;
mod serving;
#[cfg(feature = "tls")]
mod tls;
