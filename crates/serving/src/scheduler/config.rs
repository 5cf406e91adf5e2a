use crate::{Error, Result};

/// Which sequence goes first, in the queue and where blocks are short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// First come, first served.
    #[default]
    Fcfs,
    /// The lower [`priority`](crate::sequence::NewSequence::priority), then the earlier arrival.
    Priority,
}

/// Bounds of a step and of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchedulerConfig {
    /// The most sequences that run at a time; one that is to be forked counts for all of its answers.
    pub max_num_seqs: usize,
    /// The most tokens of a step, `max_num_seqs` at least. Small bounds keep the time between tokens of an answer short, large ones read
    /// prompts faster.
    pub max_num_batched_tokens: usize,
    /// The most tokens of one prompt in a step, so that several prompts are read at a time; 0 for no such bound.
    pub long_prefill_token_threshold: usize,
    /// The most tokens of a prompt and its answer.
    pub max_model_len: usize,
    /// The most sequences in the queue; more are refused. Preempted ones go back whatever the bound is.
    pub max_waiting: usize,
    /// Which sequence goes first.
    pub policy: Policy,
    /// The most later arrivals that are admitted before a waiting sequence; whoever has been passed over so often goes first of all, and
    /// is the last to be preempted. 0 makes priorities void, `usize::MAX` lets a sequence wait without end.
    pub starvation_bound: usize,
}

impl SchedulerConfig {
    /// 256 sequences and 2048 tokens a step, 1024 in the queue, first come first served.
    pub fn new(max_model_len: usize) -> Self {
        Self {
            max_num_seqs: 256,
            max_num_batched_tokens: 2048,
            long_prefill_token_threshold: 0,
            max_model_len,
            max_waiting: 1024,
            policy: Policy::Fcfs,
            starvation_bound: 256,
        }
    }

    /// Sets the most sequences that run at a time.
    pub fn with_max_num_seqs(mut self, max_num_seqs: usize) -> Self {
        self.max_num_seqs = max_num_seqs;
        self
    }

    /// Sets the most tokens of a step.
    pub fn with_max_num_batched_tokens(mut self, max_num_batched_tokens: usize) -> Self {
        self.max_num_batched_tokens = max_num_batched_tokens;
        self
    }

    /// Sets the most tokens of one prompt in a step; 0 for no such bound.
    pub fn with_long_prefill_token_threshold(mut self, threshold: usize) -> Self {
        self.long_prefill_token_threshold = threshold;
        self
    }

    /// Sets the most sequences in the queue.
    pub fn with_max_waiting(mut self, max_waiting: usize) -> Self {
        self.max_waiting = max_waiting;
        self
    }

    /// Sets which sequence goes first.
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets how many later arrivals may be admitted before a waiting sequence.
    pub fn with_starvation_bound(mut self, starvation_bound: usize) -> Self {
        self.starvation_bound = starvation_bound;
        self
    }

    pub(super) fn checked(self) -> Result<Self> {
        if self.max_num_seqs == 0 || self.max_waiting == 0 {
            return Err(Error::Invalid("a scheduler needs room for one sequence at least, in its queue and beyond it".into()));
        }
        if self.max_num_batched_tokens < self.max_num_seqs {
            return Err(Error::Invalid(format!(
                "{} tokens a step are fewer than one for each of {} sequences; raise max_num_batched_tokens or lower max_num_seqs",
                self.max_num_batched_tokens, self.max_num_seqs
            )));
        }
        Ok(self)
    }
}
