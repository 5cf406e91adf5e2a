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
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn malformed(path: impl Into<PathBuf>, reason: impl std::fmt::Display) -> Self {
        Self::Malformed { path: path.into(), reason: reason.to_string() }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::Unsupported { .. } => ErrorKind::InvalidRequest,
            Self::Malformed { .. } | Self::Weights { .. } => ErrorKind::InvalidResponse,
            Self::Hub { .. } => ErrorKind::Unavailable,
            Self::Io { .. } | Self::Tokenize(_) | Self::Device(_) => ErrorKind::Internal,
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
