use serde::{Deserialize, Serialize};

/// What an agent made of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reflection {
    /// The task, in short.
    pub task: String,
    /// The failure that it is about, in the words of the tests: what similarity is measured on.
    pub failure: String,
    /// What failed.
    pub what: String,
    /// Why.
    pub why: String,
    /// What to do otherwise.
    pub instead: String,
}
