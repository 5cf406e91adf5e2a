//! A prompt and its answer, and how far they are computed.

use std::{fmt, sync::Arc};

use crate::block_manager::BlockTable;

/// Names a sequence for the life of a scheduler; later ones are larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SequenceId(pub(crate) u64);

impl fmt::Display for SequenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What is asked of a scheduler: a prompt and the bounds of its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSequence {
    /// Tokens of the prompt, one at least.
    pub prompt: Vec<u32>,
    /// The most tokens of the answer, one at least.
    pub max_tokens: usize,
    /// Lower runs first. Read under [`Policy::Priority`](crate::scheduler::Policy::Priority) alone.
    pub priority: i32,
    /// Answers wanted of this one prompt, one at least.
    pub width: usize,
    /// The tenant's salt and the adapter: prefixes are shared only within it.
    pub namespace: Vec<u8>,
    /// False where every position has to be computed, as for log-probabilities of the prompt: no prefix is looked up. What is computed
    /// may still be found by others.
    pub share_prefix: bool,
    /// Whether the cache holds nothing of it: see [`pooled`](Self::pooled).
    pub pooled: bool,
}

impl NewSequence {
    /// One answer of at most `max_tokens` tokens, of priority 0, in the empty namespace.
    pub fn new(prompt: Vec<u32>, max_tokens: usize) -> Self {
        Self { prompt, max_tokens, priority: 0, width: 1, namespace: Vec::new(), share_prefix: true, pooled: false }
    }

    /// Inputs of `tokens` tokens for a model beside the one that is scheduled. It takes its turn and its share of each step's budget as a prompt of
    /// that length does, but no blocks, and can be longer than a sequence. With the step that samples it, it is gone.
    pub fn pooled(tokens: usize) -> Self {
        Self { share_prefix: false, pooled: true, ..Self::new(vec![0; tokens], 1) }
    }

    /// Sets the priority; lower runs first.
    pub fn with_priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Sets the number of answers.
    pub fn with_width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// Sets the namespace that prefixes are shared in.
    pub fn with_namespace(mut self, namespace: impl Into<Vec<u8>>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets whether a cached prefix is used.
    pub fn with_share_prefix(mut self, share_prefix: bool) -> Self {
        self.share_prefix = share_prefix;
        self
    }
}

/// Where a sequence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SequenceStatus {
    /// In the queue, never admitted yet.
    Waiting,
    /// Admitted: it has blocks.
    Running,
    /// In the queue again, as its blocks were needed by others.
    Preempted,
    /// Cancelled while a step computes it; gone when the step is finished.
    Cancelled,
}

/// A sequence of a scheduler.
#[derive(Clone, Debug)]
pub struct Sequence {
    pub(crate) id: SequenceId,
    pub(crate) tokens: Vec<u32>,
    pub(crate) prompt_len: usize,
    pub(crate) max_tokens: usize,
    pub(crate) priority: i32,
    /// The id of the sequence that came in for it: its own, or that of the one it was forked from.
    pub(crate) arrival: SequenceId,
    /// Answers that it still stands for: more than one until it is forked.
    pub(crate) width: usize,
    pub(crate) share_prefix: bool,
    /// Leading tokens that were paid for, where the cache holds nothing of it.
    pub(crate) pooled: Option<usize>,
    pub(crate) status: SequenceStatus,
    pub(crate) table: BlockTable,
    pub(crate) drafts: Vec<u32>,
    pub(crate) step: Option<Chunk>,
    pub(crate) cached_tokens: Option<usize>,
    pub(crate) preemptions: usize,
    /// Later arrivals that were admitted while it waited.
    pub(crate) passed_over: usize,
    /// It was passed over as often as is allowed, and goes before whoever was not.
    pub(crate) overdue: bool,
}

/// What a step computes of a sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk {
    /// The first position behind it, drafts left out.
    pub(crate) end: usize,
    pub(crate) sampled: bool,
    /// The sequence that it was forked from in this step.
    pub(crate) forked_from: Option<SequenceId>,
}

impl Sequence {
    pub(crate) fn new(id: SequenceId, new: NewSequence) -> Self {
        Self {
            id,
            prompt_len: new.prompt.len(),
            tokens: new.prompt,
            max_tokens: new.max_tokens,
            priority: new.priority,
            arrival: id,
            width: new.width,
            share_prefix: new.share_prefix,
            pooled: new.pooled.then_some(0),
            status: SequenceStatus::Waiting,
            table: BlockTable::new(Arc::<[u8]>::from(new.namespace)),
            drafts: Vec::new(),
            step: None,
            cached_tokens: None,
            preemptions: 0,
            passed_over: 0,
            overdue: false,
        }
    }

    /// Its name.
    pub fn id(&self) -> SequenceId {
        self.id
    }

    /// The prompt, then the answer so far.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Tokens of the prompt.
    pub fn prompt_len(&self) -> usize {
        self.prompt_len
    }

    /// The answer so far.
    pub fn answer(&self) -> &[u32] {
        &self.tokens[self.prompt_len..]
    }

    /// The most tokens of the answer.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Leading tokens whose keys and values are in the cache; of a pooled one, those that steps had room for.
    pub fn computed(&self) -> usize {
        self.pooled.unwrap_or_else(|| self.table.computed())
    }

    /// Whether it stands for inputs of a model beside the one that is scheduled.
    pub fn is_pooled(&self) -> bool {
        self.pooled.is_some()
    }

    /// Indices of its blocks: position `p` lies in slot `p % block_size` of block `block_table()[p / block_size]`.
    pub fn block_table(&self) -> &[u32] {
        self.table.blocks()
    }

    /// Tokens of the prompt that were found in the prefix cache when it was first admitted; 0 before that.
    pub fn cached_tokens(&self) -> usize {
        self.cached_tokens.unwrap_or(0)
    }

    /// How often its blocks were taken away.
    pub fn preemptions(&self) -> usize {
        self.preemptions
    }

    /// Where it stands.
    pub fn status(&self) -> SequenceStatus {
        self.status
    }

    /// The priority that it came with; lower runs first.
    pub fn priority(&self) -> i32 {
        self.priority
    }

    /// Answers that it stands for: more than one from admission until it is forked.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Known tokens that are not computed yet: one where it decodes.
    pub(crate) fn pending(&self) -> usize {
        self.tokens.len() - self.computed()
    }

    /// Whether tokens may be proposed for it: it runs, lacks its next token alone, and will not be forked.
    pub(crate) fn takes_drafts(&self) -> bool {
        self.status == SequenceStatus::Running && self.step.is_none() && self.width == 1 && self.pending() == 1
    }

    /// Tokens that its answer may still get.
    pub(crate) fn room(&self) -> usize {
        self.max_tokens - (self.tokens.len() - self.prompt_len)
    }
}
