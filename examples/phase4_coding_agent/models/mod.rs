//! Models that need no weights: scripts, which show what the loop does with good and bad ones, and a search.

pub(crate) mod actor;
pub(crate) mod calls;
mod mutation;
#[cfg(feature = "remote")]
mod remote;
mod scripted;

use std::sync::Arc;

use clap::ValueEnum;
use jarre_agent::CodecKind;
use jarre_core::ChatModel;
use serde::{Deserialize, Serialize};

pub(crate) use actor::Acting;
pub(crate) use mutation::{Edit, Mutant, Repair};
#[cfg(feature = "remote")]
pub(crate) use remote::RemoteArgs;
pub(crate) use scripted::Scripted;

use crate::tasks::TaskSpec;

/// A model that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shipped {
    /// Writes the reference.
    Oracle,
    /// Writes the stub first, then the reference.
    WrongThenRight,
    /// Never writes a call that can be read.
    AlwaysMalformed,
    /// Reads the same file for ever.
    Looping,
    /// Deletes, looks for secrets, writes outside, rewrites the tests.
    Destructive,
    /// Writes a solution that never ends.
    Sleeping,
    /// Says that the tests pass and runs none.
    Lying,
    /// Is given a reference that was broken by small changes, and mends it by search.
    Mutation,
}

impl Shipped {
    /// Its name on the command line and in files.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether it can do nothing without a solution that passes.
    pub(crate) fn needs_reference(self) -> bool {
        matches!(self, Self::Oracle | Self::WrongThenRight | Self::Mutation)
    }

    /// The model for one task. `found` is what lies in the place of the solution at the start.
    pub(crate) fn model(self, task: &TaskSpec, found: &str, codec: CodecKind) -> Arc<dyn ChatModel> {
        let script = match self {
            Self::Oracle => scripted::oracle(task),
            Self::WrongThenRight => scripted::wrong_then_right(task),
            Self::AlwaysMalformed => scripted::always_malformed(),
            Self::Looping => scripted::looping(task),
            Self::Destructive => scripted::destructive(task),
            Self::Sleeping => scripted::sleeping(task),
            Self::Lying => scripted::lying(task),
            Self::Mutation => {
                return Arc::new(Acting::new(&self.name(), codec, Repair::new(&task.solution, found, task.language)));
            }
        };
        Arc::new(Acting::new(&self.name(), codec, script))
    }
}
