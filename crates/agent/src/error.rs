/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run could not be started, driven or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting, a task or an argument that cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// A model, a tool or an embedder failed in a way that the run does not go on from.
    #[error(transparent)]
    Core(#[from] jarre_core::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] jarre_kv_store::Error),
    /// The sandbox refused.
    #[error(transparent)]
    Sandbox(#[from] jarre_sandbox::Error),
    /// A log that cannot be followed.
    #[error("the log of run `{run}` cannot be read at record {at}: {reason}")]
    Log {
        /// Which run.
        run: String,
        /// The record.
        at: u64,
        /// What is wrong.
        reason: String,
    },
    /// A file or a process.
    #[error("could not {doing}: {source}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A path in a [`Workspace`](crate::Workspace) that cannot be used.
    #[error("`{path}`: {reason}")]
    Path {
        /// The path.
        path: String,
        /// Why, and what to do instead where there is something.
        reason: String,
    },
    /// Another writer went on with the run.
    #[error("another writer appended record {at} of run `{run}`: open it again to go on from there")]
    Fenced {
        /// Which run.
        run: String,
        /// The record that was to be appended.
        at: u64,
    },
    /// There is a run of that name already.
    #[error("there is a run `{run}` already: open it, or take another name")]
    RunExists {
        /// The name.
        run: String,
    },
    /// There is no run of that name.
    #[error("there is no run `{run}`: look at the list of runs")]
    NoRun {
        /// The name.
        run: String,
    },
    /// An approval that cannot be answered.
    #[error("the approval {token} of run `{run}` cannot be answered: {reason}")]
    Approval {
        /// Which run.
        run: String,
        /// The token that was named.
        token: String,
        /// Why not.
        reason: String,
    },
    /// An effect that was begun, and of which it is not known whether it happened.
    #[error("it is not known whether the call {key} had its effect: look, and let it be made again under another key")]
    InDoubt {
        /// Its idempotency key.
        key: String,
    },
}
