use std::{borrow::Cow, ops::Range};

use super::{Failure, Layer, Mode, OnFailure};
use crate::{Effect, Finding};

/// What a layer has told and is not merged yet.
pub(super) enum Event {
    Found(Finding),
    Failed(Failure),
}

/// Something that a layer of a group said, at its place in the group's input.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) layer: usize,
    pub(super) span: Range<usize>,
    pub(super) said: Said,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Debug)]
pub(super) enum Said {
    Found { label: Cow<'static, str>, score: f32 },
    Failed(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Noted,
    Replaced,
    Blocked,
}

impl Event {
    /// Where it was said, what, and what effect that has in this layer.
    pub(super) fn weigh(self, start: usize, layer: &Layer) -> (Range<usize>, Said, Effect) {
        let enforced = layer.mode == Mode::Enforce;
        match self {
            Self::Failed(failure) => {
                let closed = enforced && layer.on_failure == OnFailure::Closed;
                (start..start, Said::Failed(failure), if closed { Effect::Block } else { Effect::Note })
            }
            Self::Found(Finding { span, label, score, effect }) => {
                // A score that is not a number is no reason to look away.
                let counts = enforced && (score >= layer.min_score || score.is_nan());
                (span, Said::Found { label, score }, if counts { effect } else { Effect::Note })
            }
        }
    }
}

impl From<&Effect> for Outcome {
    fn from(effect: &Effect) -> Self {
        match effect {
            Effect::Note => Self::Noted,
            Effect::Replace(_) => Self::Replaced,
            Effect::Block => Self::Blocked,
        }
    }
}
