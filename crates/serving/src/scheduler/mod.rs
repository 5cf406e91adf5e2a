//! What is computed next: a pure state machine over sequences and blocks. It knows no clock, no tensor and no model.

mod config;
mod finish;
mod output;
mod queue;
mod schedule;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, hash::RandomState};

use self::queue::{Rank, WaitingQueue};
pub use self::{
    config::{Policy, SchedulerConfig},
    output::{ScheduledSequence, SchedulerOutput, SchedulerStats, StepResult},
};
use crate::{
    Error, Result,
    block_manager::{BlockEvent, BlockManager, CacheConfig},
    sequence::{NewSequence, Sequence, SequenceId, SequenceStatus},
};

/// Decides which tokens of which sequences the next step computes, and in which blocks of the cache they lie.
///
/// There are no phases: a sequence has known tokens and computed ones, and each step brings the second number nearer to the first. Prompts
/// are read in chunks beside sequences that decode.
///
/// A step goes: [`schedule`](Self::schedule), do the copies, run the model over what is scheduled, [`fork`](Self::fork) where several
/// answers are wanted, choose tokens, [`finish_step`](Self::finish_step). Sequences may be added and cancelled at any time.
///
/// ```
/// use jarre_serving::{
///     block_manager::CacheConfig,
///     scheduler::{Scheduler, SchedulerConfig, StepResult},
///     sequence::NewSequence,
/// };
///
/// # fn main() -> jarre_serving::Result<()> {
/// let mut scheduler = Scheduler::new(SchedulerConfig::new(64), CacheConfig::new(16, 4))?;
/// let id = scheduler.add(NewSequence::new(vec![7, 8, 9], 2))?;
///
/// // The prompt is computed, and its last position gives a token.
/// let step = scheduler.schedule();
/// assert_eq!((step.scheduled[0].start, step.scheduled[0].count, step.scheduled[0].sampled), (0, 3, true));
/// scheduler.finish_step(&step, &[StepResult { id, tokens: vec![10], finished: false }]);
///
/// // That token is computed, and gives the second and last one.
/// let step = scheduler.schedule();
/// assert_eq!((step.scheduled[0].start, step.scheduled[0].count), (3, 1));
/// assert_eq!(scheduler.sequence(id).expect("it runs").answer(), [10]);
/// scheduler.finish_step(&step, &[StepResult { id, tokens: vec![11], finished: false }]);
/// assert!(scheduler.is_idle());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Scheduler<S = RandomState> {
    config: SchedulerConfig,
    blocks: BlockManager<S>,
    sequences: HashMap<SequenceId, Sequence>,
    waiting: WaitingQueue,
    /// In the order of their ranks.
    running: Vec<SequenceId>,
    /// Cancelled while a step computes them.
    cancelled: Vec<SequenceId>,
    in_flight: bool,
    next_id: u64,
    totals: Totals,
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    preemptions: u64,
    queries: u64,
    hits: u64,
}

impl Scheduler {
    /// A scheduler without sequences, over a cache in which nothing is computed.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a cache of no slots, for no sequences or tokens at a time, and for fewer tokens a step than sequences.
    pub fn new(config: SchedulerConfig, cache: CacheConfig) -> Result<Self> {
        Self::with_blocks(config, BlockManager::new(cache)?)
    }
}

impl<S: std::hash::BuildHasher> Scheduler<S> {
    /// As [`new`](Scheduler::new), over a block manager that is made already.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a configuration that schedules nothing, and for a block manager whose blocks are held by somebody.
    pub fn with_blocks(config: SchedulerConfig, blocks: BlockManager<S>) -> Result<Self> {
        if blocks.held_blocks() > 0 {
            return Err(Error::Invalid(format!("{} blocks of the cache are held already", blocks.held_blocks())));
        }
        Ok(Self {
            config: config.checked()?,
            blocks,
            sequences: HashMap::new(),
            waiting: WaitingQueue::default(),
            running: Vec::new(),
            cancelled: Vec::new(),
            in_flight: false,
            next_id: 0,
            totals: Totals::default(),
        })
    }

    /// Puts a sequence into the queue.
    ///
    /// # Errors
    /// [`Error::QueueFull`] where `max_waiting` wait; [`Error::TooLong`] where prompt and answer exceed `max_model_len` or what the cache
    /// holds; [`Error::Invalid`] for an empty prompt, no token or no answer wanted, and for more answers than `max_num_seqs`.
    pub fn add(&mut self, sequence: NewSequence) -> Result<SequenceId> {
        self.check(&sequence)?;
        let id = self.new_id();
        let mut sequence = Sequence::new(id, sequence);
        sequence.overdue = self.config.policy == Policy::Priority && self.config.starvation_bound == 0;
        self.waiting.push(Rank::of(&sequence, self.config.policy));
        self.sequences.insert(id, sequence);
        Ok(id)
    }

    /// Ends a sequence, wherever it stands; false where there is none of that name, or it was cancelled before. Its blocks are free at
    /// once, or at the end of the step that computes it.
    pub fn cancel(&mut self, id: SequenceId) -> bool {
        let Some(sequence) = self.sequences.get_mut(&id) else { return false };
        match sequence.status {
            SequenceStatus::Cancelled => return false,
            SequenceStatus::Running if sequence.step.is_some() => {
                sequence.status = SequenceStatus::Cancelled;
                self.running.retain(|&other| other != id);
                self.cancelled.push(id);
            }
            _ => self.drop_sequence(id),
        }
        true
    }

    /// Proposes tokens that may come next, to be checked in the next step; earlier proposals are forgotten. Fewer are scheduled where
    /// the budget, the free blocks or the length of the answer leave no room. Ignored for sequences that do not run, that a step
    /// computes, or that will be forked.
    pub fn propose(&mut self, id: SequenceId, drafts: &[u32]) {
        let Some(sequence) = self.sequences.get_mut(&id) else { return };
        if sequence.status == SequenceStatus::Running && sequence.step.is_none() && sequence.width == 1 {
            let most = sequence.room() - 1;
            sequence.drafts = drafts[..drafts.len().min(most)].to_vec();
        }
    }

    /// A sequence; none once it is finished or cancelled and its blocks are free.
    pub fn sequence(&self, id: SequenceId) -> Option<&Sequence> {
        self.sequences.get(&id)
    }

    /// The drafts of a sequence: those scheduled, while a step computes it.
    pub fn drafts(&self, id: SequenceId) -> &[u32] {
        self.sequences.get(&id).map_or(&[], |sequence| &sequence.drafts)
    }

    /// Whether there is nothing to do and nothing being done.
    pub fn is_idle(&self) -> bool {
        self.sequences.is_empty()
    }

    /// Sequences that have blocks.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Sequences in the queue, preempted ones among them.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The configuration.
    pub fn config(&self) -> &SchedulerConfig {
        &self.config
    }

    /// The blocks, for looking.
    pub fn blocks(&self) -> &BlockManager<S> {
        &self.blocks
    }

    /// Notes from now on what becomes of blocks, for [`take_block_events`](Self::take_block_events): whoever asks for it has to take it.
    pub fn record_block_events(&mut self) {
        self.blocks.record_events();
    }

    /// What became of blocks since they were last taken, in order.
    pub fn take_block_events(&mut self) -> Vec<BlockEvent> {
        self.blocks.take_events()
    }

    /// How everything stands. O(1).
    pub fn stats(&self) -> SchedulerStats {
        let cache = self.blocks.config();
        SchedulerStats {
            running: self.running.len(),
            waiting: self.waiting.len(),
            preemptions: self.totals.preemptions,
            prefix_cache_queries: self.totals.queries,
            prefix_cache_hits: self.totals.hits,
            kv_usage: self.blocks.held_blocks() as f64 / cache.num_blocks as f64,
            slots_allocated: self.blocks.held_blocks() * cache.block_size,
            slots_filled: self.blocks.filled_slots(),
            blocks: cache.num_blocks,
            blocks_free: self.blocks.free_blocks(),
            blocks_cached: self.blocks.cached_blocks(),
            evictions: self.blocks.evictions(),
        }
    }

    fn check(&self, new: &NewSequence) -> Result<()> {
        let limit = self.config.max_model_len.min(self.blocks.config().slots());
        if new.prompt.is_empty() || new.max_tokens == 0 || new.width == 0 {
            return Err(Error::Invalid("a request needs a prompt of one token, one answer and one token of it at least".into()));
        }
        if new.width > self.config.max_num_seqs {
            return Err(Error::Invalid(format!("{} answers are more than the {} that run at a time", new.width, self.config.max_num_seqs)));
        }
        if !new.pooled && new.prompt.len().saturating_add(new.max_tokens) > limit {
            return Err(Error::TooLong { prompt: new.prompt.len(), answer: new.max_tokens, limit });
        }
        if self.waiting.len() >= self.config.max_waiting {
            return Err(Error::QueueFull { waiting: self.waiting.len(), limit: self.config.max_waiting });
        }
        Ok(())
    }

    fn new_id(&mut self) -> SequenceId {
        self.next_id += 1;
        SequenceId(self.next_id)
    }

    fn rank(&self, id: SequenceId) -> Rank {
        Rank::of(&self.sequences[&id], self.config.policy)
    }

    fn get(&mut self, id: SequenceId) -> &mut Sequence {
        self.sequences.get_mut(&id).expect("queues name only sequences that are there")
    }

    /// Puts a sequence among the running ones, at the place of its rank.
    fn run(&mut self, id: SequenceId) {
        let rank = self.rank(id);
        let at = self.running.partition_point(|&other| self.rank(other) < rank);
        self.running.insert(at, id);
        self.get(id).status = SequenceStatus::Running;
    }

    /// Takes a sequence out of everything and frees its blocks.
    fn drop_sequence(&mut self, id: SequenceId) {
        let rank = self.rank(id);
        self.waiting.remove(rank);
        self.running.retain(|&other| other != id);
        if let Some(mut sequence) = self.sequences.remove(&id) {
            self.blocks.release(&mut sequence.table);
        }
    }
}
