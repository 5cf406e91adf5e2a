//! What a run looks like to a person: its story, read from the records of its log, as one HTML file and as text for a terminal.
//!
//! Models and tools write what is shown here, so nothing of it is trusted: it adds no element to a page, leads nowhere when clicked, moves no
//! cursor, and hides nothing.
//!
//! ```
//! use jarre_agent::view::{HtmlOptions, Story, Terminal, html};
//!
//! # let records: Vec<jarre_agent::Record> = Vec::new();
//! let story = Story::of(&records);
//! let page = html(&story, &HtmlOptions::default());
//! assert!(page.starts_with("<!DOCTYPE html>"));
//! assert!(Terminal::new(80).story(&story).contains("no run"));
//! ```

mod html;
mod shortened;
mod story;
mod terminal;
pub(crate) mod words;

#[cfg(feature = "server")]
pub(crate) use html::{Forms, Part, STYLE, one_step, page, part, step_id};
pub use html::{HtmlOptions, html};
pub use story::{Approval, Call, Failure, Lesson, Step, Story};
pub use terminal::Terminal;
