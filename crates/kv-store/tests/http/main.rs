//! The HTTP API, by its client and byte for byte.

#![expect(clippy::unwrap_used, reason = "tests")]

mod conformance;
mod etcd_json;
mod hostile;
mod serving;
