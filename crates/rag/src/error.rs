use std::path::PathBuf;

use crate::{DocId, Span};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong when documents are read, indexed, searched and answered from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The embedder or the model failed.
    #[error("the model failed")]
    Model(#[from] jarre_core::Error),
    /// A file or folder could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The index was built with something else than what is asked for now.
    #[error(
        "the index in {} was built with {what} `{stored}`, not `{wanted}`: rebuild it (`Index::recreate`, `--rebuild` on the command line) or delete the folder",
        path.display()
    )]
    Mismatch {
        /// The index.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// What the index has.
        stored: String,
        /// What was asked for.
        wanted: String,
    },
    /// Another writer is at work on the index.
    #[error("the index in {} is in use by {by}: wait for it or stop it", path.display())]
    InUse {
        /// The index.
        path: PathBuf,
        /// Who, as far as is known: `process 4242`.
        by: String,
    },
    /// There is no index.
    #[error("there is no index in {}: build one first (`Index::open_or_create`)", path.display())]
    NoIndex {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// A file of an index is not what was committed.
    #[error("{} is damaged: {reason}; restore it, or rebuild the index (`Index::recreate`, `--rebuild` on the command line)", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A document cannot be indexed as it is.
    #[error("cannot index `{document}`: {reason}")]
    Rejected {
        /// Which.
        document: DocId,
        /// Why not.
        reason: String,
    },
    /// A search cannot be made as it was asked for.
    #[error("cannot search: {0}")]
    Query(String),
    /// The term index failed.
    #[error("the term index failed")]
    Terms(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A citation does not say what its source says there.
    #[error("the citation of bytes {}..{} of `{document}` is not what stands there: the document changed, retrieve and answer anew", span.start, span.end)]
    Citation {
        /// The document.
        document: DocId,
        /// The place.
        span: Span,
    },
}
