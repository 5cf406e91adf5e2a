//! A run that is killed at every record comes to the same log, with each effect once; a log replays to the same bytes; a branch goes on alone.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::disallowed_methods, reason = "a test that starts itself tells it where by the environment")]

mod branching;
mod killing;
mod replaying;
mod script;
