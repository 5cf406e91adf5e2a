use std::path::PathBuf;

use jarre_core::ErrorKind;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a model could not be loaded, written or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of a model folder could not be read or written.
    #[error("cannot access {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file of a model folder is not what its name says.
    #[error("{} is malformed: {reason}; fetch it again", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder asks for something that this crate does not compute.
    #[error("{what} `{found}` is not supported; supported: {supported}")]
    Unsupported {
        /// The setting, for example `architecture`.
        what: &'static str,
        /// What the folder asks for.
        found: String,
        /// What would have worked.
        supported: &'static str,
    },
    /// The weights do not fit the configuration.
    #[error("the weights do not fit config.json{}", list_weights(missing, unexpected, misshapen))]
    Weights {
        /// Names that the configuration calls for and no file holds.
        missing: Vec<String>,
        /// Names that the files hold and no layer reads.
        unexpected: Vec<String>,
        /// Names with another shape or element type, and how they differ.
        misshapen: Vec<String>,
    },
    /// The tokenizer failed on a text.
    #[error("the tokenizer failed: {0}")]
    Tokenize(String),
    /// The device failed while it computed.
    #[error("the device failed: {0}")]
    Device(String),
    /// A model could not be fetched from the Hugging Face Hub.
    #[error("cannot fetch `{model}`: {reason}; check the name and the network, or pass a folder")]
    Hub {
        /// The model's name.
        model: String,
        /// What the client said.
        reason: String,
    },
    /// A worker of a ring cannot go on.
    #[error("worker {rank} cannot go on: {reason}")]
    Collective {
        /// The worker's rank.
        rank: usize,
        /// What happened, and to whom.
        reason: String,
    },
    /// A document of a corpus cannot be read.
    #[error("{}, line {line}: {reason}; mend or remove it", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A token shard or a manifest of a corpus is not what was written.
    #[error("{} is damaged at byte {offset}: {reason}; build the corpus again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// A corpus, a tokenizer or a batch was asked for that cannot be made.
    #[error("{0}")]
    Corpus(String),
    /// Another training writes into the folder.
    #[error("{} is in use by {by}; wait for it, stop it, or take another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Who, as far as is known: `process 4242`.
        by: String,
    },
    /// A checkpoint or a log of a training is not what was written.
    #[error("{} is damaged: {reason}", path.display())]
    Corrupt {
        /// The file, or the folder of a checkpoint.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Something that the caller chose cannot be used.
    #[error("{what} is {found}; it has to be {expected}")]
    InvalidSetting {
        /// For example `the peak learning rate`.
        what: &'static str,
        /// What the caller chose.
        found: String,
        /// What would have worked.
        expected: String,
    },
    /// Training left the numbers: the loss or its gradient is infinite or not a number.
    #[error("step {step} has loss {loss} and a gradient of length {grad_norm}; lower the learning rate or resume from a checkpoint")]
    Diverged {
        /// The step, which was not taken.
        step: u64,
        /// Its loss.
        loss: f64,
        /// The length of its gradient.
        grad_norm: f64,
    },
    /// A layer cannot be quantised.
    #[error("{layer} cannot be quantised: {source}")]
    Quantize {
        /// Where it is, for example `layers.0.q_proj`.
        layer: String,
        /// Why.
        source: jarre_quant::Error,
    },
    /// A chat template cannot be read, or refuses a conversation.
    #[error("the chat template failed: {reason}")]
    Template {
        /// What is wrong, and in which line.
        reason: String,
    },
    /// Logits that no token can be chosen by, and why.
    #[error("no token can be chosen by the logits: {0}")]
    Logits(String),
    /// A token that the model does not have.
    #[error("token {id} is beyond the vocabulary of {vocab_size} tokens; use the tokenizer that belongs to the model")]
    UnknownToken {
        /// The token.
        id: u32,
        /// Tokens of the vocabulary.
        vocab_size: usize,
    },
    /// More tokens than the model can read.
    #[error("{tokens} tokens are more than the model's context of {max}; shorten them")]
    ContextLength {
        /// Tokens given.
        tokens: usize,
        /// The longest sequence that the model reads.
        max: usize,
    },
    /// Fewer tokens than something can be done with.
    #[error("{what} has {found} tokens and needs at least {least}")]
    TooFewTokens {
        /// What is too short, for example `a prompt`.
        what: &'static str,
        /// Tokens given.
        found: usize,
        /// Tokens needed.
        least: usize,
    },
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn malformed(path: impl Into<PathBuf>, reason: impl std::fmt::Display) -> Self {
        Self::Malformed { path: path.into(), reason: reason.to_string() }
    }

    #[cfg(feature = "train")]
    pub(crate) fn corrupt(path: impl Into<PathBuf>, reason: impl std::fmt::Display) -> Self {
        Self::Corrupt { path: path.into(), reason: reason.to_string() }
    }

    pub(crate) fn setting(what: &'static str, found: impl std::fmt::Display, expected: impl Into<String>) -> Self {
        Self::InvalidSetting { what, found: found.to_string(), expected: expected.into() }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::Unsupported { .. }
            | Self::Corpus(_)
            | Self::InvalidSetting { .. }
            | Self::Template { .. }
            | Self::UnknownToken { .. }
            | Self::TooFewTokens { .. }
            | Self::Quantize { .. } => ErrorKind::InvalidRequest,
            Self::Malformed { .. } | Self::Weights { .. } | Self::Document { .. } | Self::Damaged { .. } | Self::Corrupt { .. } => {
                ErrorKind::InvalidResponse
            }
            Self::ContextLength { .. } => ErrorKind::ContextLength,
            Self::Hub { .. } | Self::Collective { .. } | Self::InUse { .. } => ErrorKind::Unavailable,
            Self::Io { .. } | Self::Tokenize(_) | Self::Device(_) | Self::Logits(_) | Self::Diverged { .. } => ErrorKind::Internal,
        }
    }
}

impl From<Error> for jarre_core::Error {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.to_string()).with_source(error)
    }
}

fn list_weights(missing: &[String], unexpected: &[String], misshapen: &[String]) -> String {
    let part = |title: &str, names: &[String]| if names.is_empty() { String::new() } else { format!("; {title}: {}", names.join(", ")) };
    [part("missing", missing), part("unexpected", unexpected), part("wrong shape or type", misshapen)].concat()
}
