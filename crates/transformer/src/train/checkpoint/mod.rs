//! Checkpoints of a training, written so that a crash at any instant leaves the last whole one to go on from.
//!
//! A checkpoint is a folder `step-N` with the files that the training names (weights, the optimiser's moments) and a `manifest.json` that
//! holds the step, a free JSON state, and length and BLAKE3 hash of every file, itself under a hash. It is written as `step-N.tmp`, synced to the disk, and
//! renamed: what is called `step-N` was once whole, and whether it still is can be told.

mod folder;
mod handle;
mod lock;
mod manifest;
mod store;
mod survey;

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

pub use self::{
    handle::CheckpointHandle,
    store::CheckpointStore,
    survey::{Found, Skipped},
};

/// What a training needs to go on from a step as if nothing had happened.
#[derive(Clone, PartialEq)]
pub struct Checkpoint {
    step: u64,
    state: Value,
    best: bool,
    files: BTreeMap<String, Vec<u8>>,
}

impl Checkpoint {
    /// A checkpoint after `step` updates. `state` is for what is small: schedule, seeds, position in the data, early stopping. Its numbers
    /// come back bit for bit; as JSON has no NaN and no infinities, they are null already in a [`Value`].
    pub fn new(step: u64, state: Value) -> Self {
        Self { step, state, best: false, files: BTreeMap::new() }
    }

    /// Adds a file, for example `weights.safetensors`; a repeated name replaces its content. Names are made of at most 100 lowercase letters,
    /// digits, dots, hyphens and underscores, with a letter or digit first and last. `manifest.json` is taken.
    pub fn with_file(mut self, name: impl Into<String>, content: Vec<u8>) -> Self {
        self.files.insert(name.into(), content);
        self
    }

    /// Marks it as the best so far, for instance by validation loss.
    pub fn marked_best(mut self) -> Self {
        self.best = true;
        self
    }
}

impl fmt::Debug for Checkpoint {
    /// Files by their lengths.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths: BTreeMap<_, _> = self.files.iter().map(|(name, content)| (name, content.len())).collect();
        let Self { step, state, best, files: _ } = self;
        f.debug_struct("Checkpoint").field("step", step).field("state", state).field("best", best).field("files", &lengths).finish()
    }
}
