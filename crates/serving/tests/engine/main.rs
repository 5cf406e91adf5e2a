//! The engine: the same answers whatever runs beside them, and requests that end as they should.
#![expect(clippy::unwrap_used, reason = "tests")]

mod adapters;
mod chat;
mod fixture;
mod identity;
mod pooled;
mod requests;
mod speculation;
mod stories;
mod tensor_parallel;
mod thread;
