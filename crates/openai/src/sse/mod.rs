//! Server-sent events, as the HTML standard frames them (section 9.2): writing them, and reading them from bytes in any cut.
//!
//! ```
//! use jarre_openai::sse;
//!
//! let mut stream = sse::data(&serde_json::json!({"n": 1}))?;
//! stream.push_str(sse::DONE);
//!
//! let mut decoder = sse::Decoder::new(1 << 20);
//! let (first, rest) = stream.as_bytes().split_at(9);
//! decoder.push(first);
//! assert!(decoder.next_event().is_none()); // nothing whole yet
//! decoder.push(rest);
//! assert_eq!(decoder.next_event().unwrap()?.data, r#"{"n":1}"#);
//! assert_eq!(decoder.next_event().unwrap()?.data, "[DONE]");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decode;
mod encode;

pub use decode::{Decoder, EventTooLarge};
pub use encode::{DONE, comment, data};

/// An event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its type, where it is named.
    pub event: Option<String>,
    /// What it says; lines are separated by `\n`.
    pub data: String,
    /// The last id that the stream stated up to here.
    pub id: Option<String>,
}
