use crate::{block_manager::BlockCopy, sequence::SequenceId};

/// What one step computes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchedulerOutput {
    /// The sequences and their positions. No sequence appears twice.
    pub scheduled: Vec<ScheduledSequence>,
    /// To be done before the step, in this order.
    pub copies: Vec<BlockCopy>,
    /// Sequences that lost their blocks, in the order in which they did.
    pub preempted: Vec<SequenceId>,
}

impl SchedulerOutput {
    /// Tokens of the step, drafts included.
    pub fn tokens(&self) -> usize {
        self.scheduled.iter().map(|chunk| chunk.count).sum()
    }
}

/// One sequence of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduledSequence {
    /// The sequence.
    pub id: SequenceId,
    /// The first position that is computed.
    pub start: usize,
    /// Positions that are computed, drafts included.
    pub count: usize,
    /// How many of the last are drafts; [`Scheduler::drafts`](super::Scheduler::drafts) has them.
    pub drafts: usize,
    /// Whether the step reaches the last known token: the logits of the last `1 + drafts` positions are wanted.
    pub sampled: bool,
}

/// What came of a sampled sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepResult {
    /// The sequence.
    pub id: SequenceId,
    /// Tokens of the answer, one at least: the drafts that were agreed to, then the token chosen.
    pub tokens: Vec<u32>,
    /// Whether the answer ends with them.
    pub finished: bool,
}

/// How a scheduler and its cache stand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SchedulerStats {
    /// Sequences that have blocks.
    pub running: usize,
    /// Sequences in the queue, preempted ones among them.
    pub waiting: usize,
    /// How often a sequence lost its blocks, from the beginning on.
    pub preemptions: u64,
    /// Tokens of prompts that were looked up in the prefix cache, once a sequence, from the beginning on.
    pub prefix_cache_queries: u64,
    /// Those of them that were found.
    pub prefix_cache_hits: u64,
    /// Share of blocks that sequences hold, 0 to 1.
    pub kv_usage: f64,
    /// Slots of the blocks that sequences hold; a block that several share counts once.
    pub slots_allocated: usize,
    /// Those of them that hold the keys and values of a token. The others are waste.
    pub slots_filled: usize,
    /// Blocks of the cache.
    pub blocks: usize,
    /// Blocks that no sequence holds, findable ones among them.
    pub blocks_free: usize,
    /// Distinct texts of one block that can be found.
    pub blocks_cached: usize,
    /// Findable blocks that were reused for other text, from the beginning on.
    pub evictions: u64,
}
