//! Logs that hold no personal data and no secrets: what is written by [`tracing`] goes through guards first.
//!
//! [`RedactedFields`] takes the place of the formatter of fields of `tracing_subscriber::fmt`: messages, fields of events and of spans of
//! any kind, and chains of errors are read by the guards, and fields with names as `password` are hidden unread. [`RedactedWriter`] takes
//! the place of the writer, for formats that write fields themselves, such as JSON; it sees text as that format wrote it, so that a value
//! of several lines is one line with `\n` in it there. Both together are one more wall.
//!
//! ```
//! use std::{io, sync::Arc};
//! use jarre_guardrails::{content::{CommandConfig, CommandGuard}, log::{RedactedFields, Redactor}};
//! use tracing_subscriber::fmt;
//!
//! let redactor = Redactor::new(vec![Arc::new(CommandGuard::new(CommandConfig::default())?)]);
//! let subscriber = fmt::Subscriber::builder().with_writer(io::sink).fmt_fields(RedactedFields::new(redactor)).finish();
//! tracing::subscriber::with_default(subscriber, || tracing::info!(password = "hunter2", "query: SELECT name FROM users"));
//! # Ok::<(), jarre_guardrails::Error>(())
//! ```
//!
//! A guard that fails hides the whole event. A value that no guard finds is written; so is one that is parted over two events.

mod escape;
mod fields;
mod redactor;
mod writer;

pub use fields::RedactedFields;
pub use redactor::Redactor;
pub use writer::{RedactedLine, RedactedWriter};
