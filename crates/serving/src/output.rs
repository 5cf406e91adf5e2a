use std::collections::BTreeSet;
use std::time::Duration;

use jarre_core::{FinishReason, Usage};
use jarre_transformer::generate::Sampled;

use crate::Error;

/// What an engine has to say of a request after a step.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// What the model itself thinks of the prompt's tokens, the first one left out: comes once, before all else, where it was asked for.
    Prompt(Vec<Sampled>),
    /// More of an answer.
    Chunk(Chunk),
    /// Rows of the inputs that follow on those given before, for a model beside the engine's own.
    Pooled(Vec<Vec<f32>>),
    /// All answers are there; the last of a request.
    Done(RequestStats),
    /// The request failed; the last of it.
    Failed(Error),
}

impl Output {
    /// Whether nothing follows.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }
}

/// More of an answer.
#[derive(Clone, Debug, Default)]
pub struct Chunk {
    /// Which answer, below the request's `n`.
    pub index: usize,
    /// What follows: whole characters, and nothing that could be the beginning of a stop text.
    pub text: String,
    /// Tokens that were chosen since; their text may come later, or not at all.
    pub tokens: Vec<Sampled>,
    /// Why and with what the answer ended, in its last chunk.
    pub finish: Option<Finish>,
}

/// The end of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// Why.
    pub reason: FinishReason,
    /// What ended it, where something of the answer did.
    pub stop: Option<StopReason>,
}

/// What ended an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// A token.
    Token(u32),
    /// This stop text.
    Text(String),
}

/// What became of a request; times are on the engine's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestStats {
    /// Tokens, those of all answers together.
    pub usage: Usage,
    /// When it came.
    pub arrived: Duration,
    /// How long it took to be admitted, which is mostly the compilation of its grammar: the first part of its time in the queue.
    pub admission: Duration,
    /// When it was first part of a step.
    pub scheduled: Duration,
    /// When its first token was there.
    pub first_token: Duration,
    /// When its last token was there.
    pub finished: Duration,
    /// How often it had to make room and was computed again.
    pub preemptions: usize,
}

/// The adapters of open requests, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdapterStats {
    /// Of requests that are part of steps.
    pub running: BTreeSet<String>,
    /// Of requests in the queue.
    pub waiting: BTreeSet<String>,
}

impl RequestStats {
    /// TTFT: from its arrival to its first token.
    pub fn time_to_first_token(&self) -> Duration {
        self.first_token.saturating_sub(self.arrived)
    }

    /// TPOT: the mean time of a token of the first answer after its first, where there is one.
    pub fn time_per_output_token(&self, answer_tokens: usize) -> Option<Duration> {
        let gaps = u32::try_from(answer_tokens).ok()?.checked_sub(1)?;
        self.finished.saturating_sub(self.first_token).checked_div(gaps)
    }
}
