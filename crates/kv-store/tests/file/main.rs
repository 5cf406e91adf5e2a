//! The store in one file: who has it open, what damage does, and kill -9.

#![expect(clippy::unwrap_used, reason = "tests")]

mod damage;
mod groups;
mod kill;
mod opening;
mod process;
