use std::hash::BuildHasher;

use super::{Policy, Rank, ScheduledSequence, Scheduler, SchedulerOutput};
use crate::{
    block_manager::PrefixMatch,
    sequence::{Chunk, Sequence, SequenceId, SequenceStatus},
};

/// One block in so many stays free when a sequence is admitted beside others, so that those can grow for a while before one has to give
/// way.
const WATERMARK: usize = 100;

impl<S: BuildHasher> Scheduler<S> {
    /// Chooses what the next step computes, and takes the blocks for it. Empty where there is nothing to do.
    ///
    /// Running sequences come first, in order of rank. Each that has begun its answer has a token at least; a prompt gets what is left of
    /// the budget. Where blocks are short, the running sequence of the last rank loses its own. Waiting sequences are admitted if nobody
    /// did.
    ///
    /// # Panics
    /// Where the last step that was not empty has been neither finished nor abandoned.
    pub fn schedule(&mut self) -> SchedulerOutput {
        assert!(!self.in_flight, "a step ends with finish_step or abandon_step before the next is scheduled");
        let mut output = SchedulerOutput::default();
        let budget = self.schedule_running(&mut output);
        if output.preempted.is_empty() {
            self.admit(budget, &mut output);
        }
        self.in_flight = !output.scheduled.is_empty();
        output
    }

    /// Gives what is left of the budget.
    fn schedule_running(&mut self, output: &mut SchedulerOutput) -> usize {
        let mut budget = self.config.max_num_batched_tokens;
        // One token is kept for each sequence behind that has begun its answer.
        let mut kept = self.running.iter().filter(|id| self.decodes(**id)).count();
        let mut at = 0;
        while at < self.running.len() {
            let id = self.running[at];
            kept -= usize::from(self.decodes(id));
            budget -= loop {
                if let Some(used) = self.place(id, budget - kept, output) {
                    break used;
                }
                let last = self.last_with_blocks().expect("the sequence that is placed runs, and asks for blocks");
                if last != id {
                    kept -= usize::from(self.decodes(last));
                }
                self.preempt(last, output);
                if last == id {
                    return budget;
                }
            };
            at += 1;
        }
        budget
    }

    /// The sequence of the last rank that has, or may have, blocks to give.
    fn last_with_blocks(&self) -> Option<SequenceId> {
        self.running.iter().rfind(|id| !self.sequences[id].is_pooled()).copied()
    }

    fn decodes(&self, id: SequenceId) -> bool {
        !self.sequences[&id].answer().is_empty()
    }

    /// Adds a sequence to the step with at most `share` tokens and says how many it took; none where the blocks for them are missing.
    fn place(&mut self, id: SequenceId, share: usize, output: &mut SchedulerOutput) -> Option<usize> {
        let sequence = self.sequences.get_mut(&id).expect("queues name only sequences that are there");
        let (start, known) = chunk(sequence, share, self.config.long_prefill_token_threshold);
        if known == 0 {
            return Some(0);
        }
        let (end, sampled) = (start + known, known == sequence.pending());
        if sequence.is_pooled() {
            sequence.step = Some(Chunk { end, sampled, forked_from: None });
            output.scheduled.push(ScheduledSequence { id, start, count: known, drafts: 0, sampled });
            return Some(known);
        }
        let mut drafts = if sampled { sequence.drafts.len().min(share - known) } else { 0 };
        if drafts > 0 && !self.blocks.reserve(&mut sequence.table, start..end + drafts, &mut output.copies) {
            // As many as go into the blocks that it has.
            drafts = drafts.min((sequence.block_table().len() * self.blocks.config().block_size).saturating_sub(end));
        }
        if !self.blocks.reserve(&mut sequence.table, start..end + drafts, &mut output.copies) {
            return None;
        }
        sequence.drafts.truncate(drafts);
        sequence.step = Some(Chunk { end, sampled, forked_from: None });
        output.scheduled.push(ScheduledSequence { id, start, count: known + drafts, drafts, sampled });
        Some(known + drafts)
    }

    /// Takes the blocks of a sequence, which stay findable until they are reused, and puts it back into the queue.
    fn preempt(&mut self, id: SequenceId, output: &mut SchedulerOutput) {
        let sequence = self.sequences.get_mut(&id).expect("queues name only sequences that are there");
        self.blocks.release(&mut sequence.table);
        sequence.drafts.clear();
        sequence.status = SequenceStatus::Preempted;
        sequence.preemptions += 1;
        self.running.retain(|&other| other != id);
        self.waiting.push(self.rank(id));
        self.totals.preemptions += 1;
        output.preempted.push(id);
    }

    /// Admits waiting sequences in order of rank, up to the first that finds no place.
    fn admit(&mut self, mut budget: usize, output: &mut SchedulerOutput) {
        let (mut seats, mut owed) = (self.config.max_num_seqs, 0);
        for id in &self.running {
            seats -= self.sequences[id].width;
            owed += self.owed(&self.sequences[id]);
        }
        while budget > 0 {
            let Some(rank) = self.waiting.first() else { break };
            let sequence = &self.sequences[&rank.id];
            if sequence.width > seats || !self.has_blocks(sequence, owed) {
                break;
            }
            seats -= sequence.width;
            self.enter(rank);
            budget -= self.place(rank.id, budget, output).expect("blocks for all of its tokens were free");
            owed += self.owed(&self.sequences[&rank.id]);
        }
    }

    /// Blocks that a sequence still needs for the tokens it has.
    fn owed(&self, sequence: &Sequence) -> usize {
        if sequence.is_pooled() {
            return 0;
        }
        self.blocks.config().blocks_for(sequence.tokens.len()).saturating_sub(sequence.block_table().len())
    }

    /// Whether blocks are free for all tokens of a waiting sequence, beside those owed to running ones: else prompts that are read at a
    /// time would take the blocks from each other.
    fn has_blocks(&self, sequence: &Sequence, owed: usize) -> bool {
        if sequence.is_pooled() {
            return true;
        }
        let found =
            if sequence.share_prefix { self.blocks.find(sequence.table.namespace(), &sequence.tokens) } else { PrefixMatch::default() };
        let taken = self.owed(sequence) - (found.blocks - found.idle);
        let spare = if self.running.is_empty() { 0 } else { self.blocks.config().num_blocks / WATERMARK };
        taken + owed + spare <= self.blocks.free_blocks()
    }

    /// Moves the first of the queue to those that run, with the blocks that the prefix cache has for it.
    fn enter(&mut self, rank: Rank) {
        self.waiting.remove(rank);
        self.run(rank.id);
        let sequence = self.sequences.get_mut(&rank.id).expect("queues name only sequences that are there");
        if sequence.share_prefix {
            let found = self.blocks.attach(&mut sequence.table, &sequence.tokens);
            if sequence.cached_tokens.is_none() {
                self.totals.queries += sequence.tokens.len() as u64;
                self.totals.hits += found as u64;
            }
            sequence.cached_tokens.get_or_insert(found);
        }
        let arrival = sequence.arrival;
        self.pass_over(arrival);
    }

    /// Counts an admission against all who came before and still wait.
    fn pass_over(&mut self, arrival: SequenceId) {
        if self.config.policy != Policy::Priority {
            return;
        }
        for id in self.waiting.earlier_than(arrival) {
            let rank = self.rank(id);
            let sequence = self.get(id);
            sequence.passed_over += 1;
            if sequence.passed_over >= self.config.starvation_bound {
                self.get(id).overdue = true;
                self.waiting.remove(rank);
                self.waiting.push(self.rank(id));
            }
        }
    }
}

/// The first position to compute, and how many tokens from there on.
fn chunk(sequence: &Sequence, share: usize, threshold: usize) -> (usize, usize) {
    let most = if threshold == 0 { share } else { share.min(threshold) };
    (sequence.computed(), sequence.pending().min(most))
}
