use std::time::Duration;

use thiserror::Error as ThisError;

/// What a fallible function of this crate gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request was refused, or an engine failed.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The queue is full.
    #[error("{waiting} requests wait already, and the queue holds {limit}; try again later")]
    QueueFull {
        /// Requests in the queue.
        waiting: usize,
        /// The most that it holds.
        limit: usize,
    },
    /// A request needs more tokens than the model reads or the cache holds.
    #[error("{prompt} tokens of prompt and {answer} of answer are more than the {limit} that fit; shorten the prompt or ask for fewer")]
    TooLong {
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens of the answer at most.
        answer: usize,
        /// The most of both together.
        limit: usize,
    },
    /// A request, or a setting of the engine, makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The grammar of a request takes too long to compile.
    #[error("the grammar takes longer to compile than the {limit:?} that it may; make it smaller")]
    GrammarTimeout {
        /// The time that it may take.
        limit: Duration,
    },
    /// The deadline of the request has passed.
    #[error("the deadline of the request has passed")]
    Deadline,
    /// The engine takes no more requests.
    #[error("the engine is shutting down; send the request to another one")]
    ShuttingDown,
    /// The engine has lost what computes for it, and answers nothing any more.
    #[error("the engine answers nothing any more: {0}; send the request to another one")]
    Lost(String),
    /// The engine failed.
    #[error("the engine failed: {0}")]
    Engine(String),
    /// A model beside the engine's own failed.
    #[error(transparent)]
    Encoder(#[from] jarre_core::Error),
    /// The model failed.
    #[error(transparent)]
    Model(#[from] jarre_transformer::Error),
}
