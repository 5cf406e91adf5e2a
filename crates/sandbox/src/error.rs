/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command was not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer that is required is not to be had here.
    #[error("the sandbox lacks {}: {}; run elsewhere, or lower the requirement by name", .0.layer, .0.reason)]
    Missing(crate::Missing),
    /// The command, its folder or a setting cannot be used.
    #[error("the sandbox cannot run this: {0}")]
    Invalid(String),
    /// The system refused.
    #[error("the sandbox could not {doing}: {source}")]
    System {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}
