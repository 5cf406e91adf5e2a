//! The tools that come with the crate. Each is a [`jarre_core::Tool`]: its arguments are held to its schema before anything is done, its output for
//! programs after, and a call with the key of an earlier one gives what that gave, for as long as the tool lives: what was begun before a restart
//! is the log's to tell.
//!
//! Tools on files read and write while their futures are polled; those that run commands wait on a thread of their own. None needs a runtime.

mod calculator;
mod code_execute;
mod file_edit;
mod file_read;
mod file_write;
mod frame;
mod list_files;
mod offload;
mod redacted;
mod retrieve;
mod runner;
mod search_text;
mod snapshot;
mod splice;
mod test_run;
#[cfg(feature = "wikipedia")]
mod wikipedia_search;

pub use calculator::Calculator;
pub use code_execute::{CodeExecute, Language};
pub use file_edit::FileEdit;
pub use file_read::FileRead;
pub use file_write::FileWrite;
pub use list_files::ListFiles;
pub use redacted::Redacted;
pub use retrieve::{Passage, Retrieve};
pub use runner::Runner;
pub use search_text::SearchText;
pub use test_run::{TestFormat, TestRun};
#[cfg(feature = "wikipedia")]
pub use wikipedia_search::{Fetch, WikipediaSearch};
