use std::{io, sync::Arc};

/// A result of the log.
pub type Result<T, E = LogError> = std::result::Result<T, E>;

/// Why the log refused, or could not do, what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The disk failed. Where it failed in a write or a sync, the log is poisoned from then on.
    #[error("cannot {action} `{file}`: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        file: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Bytes that were durable once are not what was written.
    #[error("`{file}` is damaged at byte {offset}: {problem}; restore this node from its peers or from a snapshot")]
    Corrupt {
        /// Which file.
        file: String,
        /// Where in it, in bytes.
        offset: u64,
        /// What is wrong there.
        problem: String,
    },
    /// A write or a sync failed earlier, and what is on the disk is unknown.
    #[error("the log failed earlier ({cause}); end the process and recover")]
    Poisoned {
        /// The first failure.
        cause: Arc<str>,
    },
    /// The files are another node's.
    #[error("`{file}` belongs to node {node} of cluster {cluster}; give each node a folder of its own")]
    Foreign {
        /// Which file.
        file: String,
        /// The cluster that its header names.
        cluster: u64,
        /// The node that its header names.
        node: u64,
    },
    /// Entries must follow one another.
    #[error("entry {index} cannot follow: the next index is {expected}")]
    Gap {
        /// The index that was given.
        index: u64,
        /// The index that would fit.
        expected: u64,
    },
    /// What was purged was committed, and stays so.
    #[error("cannot truncate from {index}: everything up to {purged} was purged")]
    TruncatesPurged {
        /// Where the truncation was to begin.
        index: u64,
        /// The last purged index.
        purged: u64,
    },
    /// A vote never goes back to an earlier term.
    #[error("a vote in term {term} cannot follow one in term {saved}")]
    VoteReversal {
        /// The term that was given.
        term: u64,
        /// The term that stands.
        saved: u64,
    },
    /// A payload over [`LogConfig::max_record_bytes`](super::LogConfig::max_record_bytes).
    #[error("a record of {len} bytes is over the limit of {max}; send it in pieces")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit.
        max: u32,
    },
    /// The log was closed before this was written.
    #[error("the log is closed")]
    Closed,
}

impl LogError {
    pub(super) fn io(action: &'static str, file: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, file: file.to_owned(), source: Arc::new(source) }
    }

    pub(super) fn corrupt(file: &str, offset: u64, problem: impl Into<String>) -> Self {
        Self::Corrupt { file: file.to_owned(), offset, problem: problem.into() }
    }
}
