use std::{io, time::Duration};

/// A file that did not become a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Unreadable {
    /// Path or URL, as the caller named it.
    pub path: String,
    /// Why, and what to do about it.
    pub reason: Reason,
}

/// Why a file did not become a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A password is needed to read it.
    #[error("encrypted: remove the password and run again")]
    Encrypted,
    /// Pages, but no text on them: a scan, or drawings.
    #[error("no text on its {pages} pages, so probably scanned: run it through OCR and run again")]
    NoText {
        /// Pages of the document.
        pages: usize,
    },
    /// It breaks the rules of its format.
    #[error("malformed ({detail}): open it in its own program, save it anew and run again")]
    Malformed {
        /// What the parser found.
        detail: String,
    },
    /// More bytes than [`Limits::max_bytes`](super::Limits::max_bytes).
    #[error("{bytes} bytes is over the limit of {limit}: split it, or raise the limit")]
    TooLarge {
        /// Size of the file.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// More pages than [`Limits::max_pages`](super::Limits::max_pages).
    #[error("{pages} pages is over the limit of {limit}: split it, or raise the limit")]
    TooManyPages {
        /// Pages of the document.
        pages: usize,
        /// The limit.
        limit: usize,
    },
    /// The parser took longer than [`Limits::max_time`](super::Limits::max_time).
    #[error("not read within {} s: split it, or raise the time limit", limit.as_secs_f64())]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// The parser failed with a panic, which is a defect of the parser.
    #[error("the parser failed on it ({detail}): convert it to another format, and report the file")]
    Panicked {
        /// Message and place of the panic.
        detail: String,
    },
    /// A format that this build does not read.
    #[error("not supported: {detail}")]
    Unsupported {
        /// What is missing.
        detail: String,
    },
    /// Nothing but white space.
    #[error("empty: there is nothing to index")]
    Empty,
    /// The file system refused.
    #[error("cannot be read ({detail}): check that it exists and that its permissions allow reading")]
    Io {
        /// The sort of error.
        kind: io::ErrorKind,
        /// The operating system's message.
        detail: String,
    },
}

impl Reason {
    /// The reason that `error` gives.
    pub(crate) fn io(error: &io::Error) -> Self {
        Self::Io { kind: error.kind(), detail: error.to_string() }
    }
}
