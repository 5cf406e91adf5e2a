use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A result of a call on one of the contracts of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a model, an embedder, a reranker or a tool could not do its work, and whether another try can help.
///
/// ```
/// use jarre_core::{Error, ErrorKind};
/// use std::time::Duration;
///
/// let busy = Error::new(ErrorKind::RateLimited, "the endpoint is busy").with_retry_after(Duration::from_secs(2));
/// assert!(busy.is_retryable());
/// assert!(!Error::new(ErrorKind::InvalidRequest, "temperature must not be negative").is_retryable());
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
    retry_after: Option<Duration>,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`; the message is lowercase, without a full stop, and says what to do next where there is a next.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None, source: None }
    }

    /// Keeps the error that caused this one.
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// States how long to wait before another try, as a server's `Retry-After` does.
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call can succeed later without being changed.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::RateLimited | ErrorKind::Timeout | ErrorKind::Unavailable)
    }

    /// How long the failing side asked to wait, where it said.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// The sorts of failure that a caller treats differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// Credentials are missing or refused.
    Authentication,
    /// The caller cancelled.
    Cancelled,
    /// The request is longer than the model's context.
    ContextLength,
    /// A defect or an unexpected state of the implementation.
    Internal,
    /// The request is malformed or asks for something that the implementation cannot do.
    InvalidRequest,
    /// The other side answered with something that cannot be understood.
    InvalidResponse,
    /// The model, tool or resource does not exist.
    NotFound,
    /// Too many requests; see [`Error::retry_after`].
    RateLimited,
    /// The content was refused by a policy.
    Refused,
    /// The deadline passed.
    Timeout,
    /// The other side is down or overloaded.
    Unavailable,
}
