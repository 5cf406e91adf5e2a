use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Guard, Reach, Stage};

/// A guard at its place in a [`Pipeline`](super::Pipeline), and what its word counts there.
#[derive(Clone)]
pub struct Layer {
    /// What verdicts call it: the guard's name, unless another was given.
    pub name: Arc<str>,
    /// Who reads.
    pub guard: Arc<dyn Guard>,
    /// Where it reads.
    pub stages: BTreeSet<Stage>,
    /// The time that it may take for one text, all pieces together. It is looked at between pieces of 16 KiB, so a layer that reads the
    /// whole text at once may take longer; that it was late counts as a failure all the same.
    pub budget: Duration,
    /// What happens where it fails or takes longer.
    pub on_failure: OnFailure,
    /// Whether what it finds has effects.
    pub mode: Mode,
    /// What is found with a lower score than this is told in the verdict and has no effect.
    pub min_score: f32,
    /// Whether what it replaces is told as [`Action::Rewrite`](super::Action::Rewrite): it changes the wording and hides nothing.
    pub rewrites: bool,
}

impl Layer {
    /// Reads at every stage, without a budget, fails closed, and enforces what it finds.
    pub fn new(guard: Arc<dyn Guard>) -> Self {
        let stages = [Stage::Input, Stage::Context, Stage::ToolCall, Stage::Output].into();
        Self {
            name: guard.name().into(),
            guard,
            stages,
            budget: Duration::MAX,
            on_failure: OnFailure::Closed,
            mode: Mode::Enforce,
            min_score: 0.0,
            rewrites: false,
        }
    }

    /// Sets what verdicts call it.
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Reads at these stages alone.
    pub fn at(mut self, stages: impl IntoIterator<Item = Stage>) -> Self {
        self.stages = stages.into_iter().collect();
        self
    }

    /// Sets the time that it may take for one text.
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// Lets the text pass where the layer fails.
    pub fn failing_open(mut self) -> Self {
        self.on_failure = OnFailure::Open;
        self
    }

    /// Tells what it finds and changes nothing.
    pub fn observing(mut self) -> Self {
        self.mode = Mode::Observe;
        self
    }

    /// Sets the least score that has an effect.
    pub fn with_min_score(mut self, score: f32) -> Self {
        self.min_score = score;
        self
    }

    /// Tells what it replaces as a change of wording.
    pub fn rewriting(mut self) -> Self {
        self.rewrites = true;
        self
    }

    /// How much of a text it holds back: nothing where it only observes.
    pub(super) fn reach(&self) -> Reach {
        if self.mode == Mode::Observe { Reach::Bytes(0) } else { self.guard.reach() }
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Layer")
            .field("name", &self.name)
            .field("stages", &self.stages)
            .field("budget", &self.budget)
            .field("on_failure", &self.on_failure)
            .field("mode", &self.mode)
            .field("min_score", &self.min_score)
            .finish_non_exhaustive()
    }
}

/// What happens to a text that a layer could not read, or not in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// It goes no further than the layer had decided.
    #[default]
    Closed,
    /// It passes as if the layer were not there; what the layer found until then counts.
    Open,
}

/// Whether what a layer finds has effects.
///
/// An observing layer holds nothing back. It reads what its group has read once the text has ended, or what led to what was released
/// where the text was stopped; of a stream that is given up it reads nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It has.
    #[default]
    Enforce,
    /// It is told in the verdict alone; a failure lets the text pass.
    Observe,
}
