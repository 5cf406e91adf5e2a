//! What running a command comes to.
#![expect(clippy::unwrap_used, reason = "tests")]
#![cfg(target_os = "linux")]

#[path = "../place/mod.rs"]
mod place;

mod basics;
mod folders;
mod limits;
mod many;
mod refusal;
mod toolchain;
