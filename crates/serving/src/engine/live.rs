use std::collections::VecDeque;
use std::time::Duration;

use jarre_transformer::generate::Sampled;

use super::admission::Admitted;
use super::answer::Answer;
use crate::output::RequestStats;
use crate::{Request, SequenceId};

/// A request that is not done.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) request: Request,
    /// Answers whose tokens are being chosen, and their sequences.
    pub(super) answers: Vec<(SequenceId, Answer)>,
    /// Those that begin when the prompt was read.
    further: VecDeque<Answer>,
    /// Scores of the prompt's tokens so far, where they are wanted.
    pub(super) prompt_logprobs: Vec<Sampled>,
    pub(super) stats: RequestStats,
    pub(super) was_scheduled: bool,
    pub(super) is_answered: bool,
}

impl Live {
    pub(super) fn new(admitted: Admitted, sequence: SequenceId, now: Duration) -> Self {
        let mut stats = RequestStats { arrived: now, admission: admitted.took, ..RequestStats::default() };
        stats.usage.prompt_tokens = admitted.request.prompt.len() as u64;
        let mut live = Self {
            request: admitted.request,
            answers: Vec::new(),
            further: admitted.answers.into(),
            prompt_logprobs: Vec::new(),
            stats,
            was_scheduled: false,
            is_answered: false,
        };
        live.begin_answer(sequence);
        live
    }

    pub(super) fn has_further_answers(&self) -> bool {
        !self.further.is_empty()
    }

    /// The next answer is that of a sequence.
    pub(super) fn begin_answer(&mut self, sequence: SequenceId) {
        let answer = self.further.pop_front().expect("there are as many answers as sequences");
        self.answers.push((sequence, answer));
    }

    pub(super) fn is_done(&self) -> bool {
        self.further.is_empty() && self.answers.iter().all(|(_, answer)| answer.is_finished())
    }

    pub(super) fn answer_mut(&mut self, sequence: SequenceId) -> &mut Answer {
        let answer = self.answers.iter_mut().find(|(id, _)| *id == sequence);
        &mut answer.expect("a sequence belongs to an answer of its request").1
    }
}
