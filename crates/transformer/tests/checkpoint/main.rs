//! Checkpoints under kill -9, damage and ill will: what is found is whole, and is the newest that is.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "tests")]

mod crash;
mod damage;
mod fixture;
mod hostile;
mod store;
