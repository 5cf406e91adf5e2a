use std::hash::BuildHasher;

use super::{Scheduler, SchedulerOutput, StepResult};
use crate::sequence::{Chunk, Sequence, SequenceId, SequenceStatus};

impl<S: BuildHasher> Scheduler<S> {
    /// Splits a sequence of width `n` whose prompt the current step brings to its end: `n - 1` siblings that share all of its blocks. From
    /// then on each is a sequence like any other, and has a result of its own in this step's [`finish_step`](Self::finish_step).
    ///
    /// Empty for a sequence of width 1, one that this step does not sample, and one that was forked or cancelled before.
    pub fn fork(&mut self, id: SequenceId) -> Vec<SequenceId> {
        let Some(parent) = self.sequences.get_mut(&id) else { return Vec::new() };
        let Some(chunk) = parent.step.filter(|chunk| chunk.sampled && parent.status == SequenceStatus::Running) else { return Vec::new() };
        let width = std::mem::replace(&mut parent.width, 1);
        let parent = parent.clone();
        (1..width).map(|_| self.sibling(&parent, chunk)).collect()
    }

    /// Takes what came of the step: chunks are computed, sampled sequences have their results' tokens, finished ones are gone.
    ///
    /// A result's leading tokens that equal the sequence's drafts count as computed; tokens beyond `max_tokens` are left out, and the
    /// answer ends there whether the result says so or not. A sampled sequence without a result, or with one of no tokens, is dropped as
    /// if it had been cancelled. Results of cancelled sequences are ignored. A sequence of width `n` that was not forked goes on as one.
    pub fn finish_step(&mut self, output: &SchedulerOutput, results: &[StepResult]) {
        for scheduled in &output.scheduled {
            self.advance(scheduled.id);
        }
        for result in results {
            self.accept(result);
        }
        self.close(Self::drop_sequence);
    }

    /// Ends a step of which nothing was computed, as the model failed: its sequences stand where they stood, and forks are undone. Its
    /// copies must have been done.
    pub fn abandon_step(&mut self) {
        self.close(|scheduler, id| {
            let Some(parent) = scheduler.get(id).step.take().and_then(|chunk| chunk.forked_from) else { return };
            scheduler.drop_sequence(id);
            if let Some(parent) = scheduler.sequences.get_mut(&parent) {
                parent.width += 1;
            }
        });
    }

    fn sibling(&mut self, parent: &Sequence, chunk: Chunk) -> SequenceId {
        let id = self.new_id();
        let table = self.blocks.fork(&parent.table);
        let step = Some(Chunk { forked_from: Some(parent.id), ..chunk });
        self.sequences.insert(id, Sequence { id, table, step, drafts: Vec::new(), ..parent.clone() });
        self.run(id);
        id
    }

    /// A chunk that did not reach the last token is computed now; one that did waits for its result.
    fn advance(&mut self, id: SequenceId) {
        let Some(sequence) = self.sequences.get_mut(&id) else { return };
        if let Some(chunk) = sequence.step.take_if(|chunk| !chunk.sampled) {
            match &mut sequence.pooled {
                Some(paid) => *paid = chunk.end,
                None => self.blocks.commit(&mut sequence.table, &sequence.tokens[..chunk.end]),
            }
        }
    }

    fn accept(&mut self, result: &StepResult) {
        let Some(sequence) = self.sequences.get_mut(&result.id) else { return };
        if sequence.status != SequenceStatus::Running || sequence.is_pooled() || result.tokens.is_empty() {
            return;
        }
        let Some(chunk) = sequence.step.take() else { return };
        let chosen = result.tokens.len() - 1;
        let agreed = sequence.drafts.iter().zip(&result.tokens[..chosen]).take_while(|(draft, token)| draft == token).count();
        let tokens = &result.tokens[..result.tokens.len().min(sequence.room())];
        sequence.tokens.extend_from_slice(tokens);
        sequence.drafts.clear();
        sequence.width = 1;
        let computed = (chunk.end + agreed).min(sequence.tokens.len());
        self.blocks.commit(&mut sequence.table, &sequence.tokens[..computed]);
        if result.finished || sequence.room() == 0 {
            self.drop_sequence(result.id);
        }
    }

    /// Ends a step: cancelled sequences are gone, and `leave` decides about those that it left in the middle.
    fn close(&mut self, leave: impl Fn(&mut Self, SequenceId)) {
        for id in std::mem::take(&mut self.cancelled) {
            self.drop_sequence(id);
        }
        let left: Vec<SequenceId> = self.running.iter().copied().filter(|id| self.sequences[id].step.is_some()).collect();
        for id in left {
            leave(self, id);
        }
        self.in_flight = false;
    }
}
