/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a guard could not be built, or could not read a text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A regular expression that cannot serve as a pattern.
    #[error("the pattern `{label}` cannot be used: {reason}")]
    Pattern {
        /// What it was to find.
        label: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A model that a guard asks did not answer.
    #[error(transparent)]
    Model(#[from] jarre_core::Error),
    /// A policy that cannot be followed.
    #[error("the policy cannot be followed: {at}: {reason}")]
    Policy {
        /// The line, or the place, as `default.output[2]`.
        at: String,
        /// What is wrong there, and what is known.
        reason: String,
    },
    /// A classifier cannot be trained so.
    #[error("the classifier cannot be trained: {reason}")]
    Training {
        /// What has to change.
        reason: String,
    },
    /// Bytes that hold no classifier that can be read here.
    #[error("the model cannot be read: {reason}")]
    ModelFile {
        /// What is wrong with them.
        reason: String,
    },
    /// Content cannot be moderated so.
    #[error("the moderation cannot be set up: {reason}")]
    Moderation {
        /// What has to change.
        reason: String,
    },
    /// No JSON document came out of a text.
    #[error(transparent)]
    Json(#[from] crate::json::Unrecovered),
    /// A JSON Schema that cannot be compiled.
    #[error("the JSON schema cannot be used: {reason}")]
    Schema {
        /// What is wrong with it, and where.
        reason: String,
    },
    /// A JSON Schema that is larger, deeper or costlier than its configuration allows.
    #[error("the JSON schema goes beyond the limit of {limit} {what}, make it smaller or raise the limit")]
    SchemaLimit {
        /// What there is too much of, in the plural.
        what: &'static str,
        /// The most that there may be.
        limit: u64,
    },
    /// A JSON Schema refers to a document that is not among those allowed.
    #[error("the JSON schema refers to `{uri}`, which is not among its remotes: add the document there")]
    SchemaRemote {
        /// What it refers to.
        uri: String,
    },
    /// A model gave no answer that its schema allows, within the attempts and the tokens that it had.
    #[error("no answer fits the schema after {} attempts: {}", .0.attempts.len(), .0.reason())]
    Unanswered(Box<crate::structured::Unanswered>),
    /// A setting that a guard cannot work with.
    #[error("the guard `{guard}` cannot be set up: {reason}")]
    Config {
        /// The guard.
        guard: &'static str,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

impl Error {
    pub(crate) fn config(guard: &'static str, reason: impl Into<String>) -> Self {
        Self::Config { guard, reason: reason.into() }
    }
}
