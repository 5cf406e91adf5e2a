//! How a batch is cut into tasks.

use std::ops::Range;
use std::sync::atomic::AtomicUsize;

use super::batch::Sequence;
use super::table::SPAN;

/// The most rows of a block: enough to pay for reading keys and values, few enough to share prompts evenly.
const BLOCK_ROWS: usize = 48;

/// Tasks a thread, at least, where there is enough work.
const TASKS_PER_THREAD: usize = 8;

/// What reading a key and its value costs, in rows that are multiplied by them.
const READING: usize = 4;

/// Rows of one sequence that read one key head: query by query, and of each query the heads of the group.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) sequence: usize,
    pub(super) kv_head: usize,
    pub(super) rows: Range<usize>,
    /// Positions that its rows see.
    pub(super) seen: Range<usize>,
    /// The first record of its parts where several tasks take them: `[spans, rows]`.
    pub(super) records: Option<usize>,
    /// Tasks that are not done.
    pub(super) waiting: AtomicUsize,
}

impl Block {
    /// Spans that its rows see.
    pub(super) fn spans(&self) -> Range<usize> {
        self.seen.start / SPAN..self.seen.end.div_ceil(SPAN)
    }

    fn cost(&self) -> usize {
        self.seen.len() * (self.rows.len() + READING)
    }
}

/// Some spans of a block.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) block: usize,
    pub(super) spans: Range<usize>,
}

/// The work of a batch.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) blocks: Vec<Block>,
    pub(super) tasks: Vec<Task>,
    /// Records of parts of blocks.
    pub(super) records: usize,
}

impl Plan {
    pub(super) fn new(sequences: &[Sequence<'_>], kv_heads: usize, group: usize, threads: usize) -> Self {
        let mut blocks = blocks(sequences, kv_heads, group);
        let total: usize = blocks.iter().map(Block::cost).sum();
        // One thread alone gains nothing from parts.
        let most = if threads == 1 { usize::MAX } else { total / (threads * TASKS_PER_THREAD) + 1 };
        let (mut tasks, mut records) = (Vec::new(), 0);
        for (index, block) in blocks.iter_mut().enumerate() {
            let spans = block.spans();
            let parts = block.cost().div_ceil(most).min(spans.len());
            if parts > 1 {
                block.records = Some(records);
                records += spans.len() * block.rows.len();
            }
            *block.waiting.get_mut() = parts;
            let bound = |part: usize| spans.start + part * spans.len() / parts;
            tasks.extend((0..parts).map(|part| Task { block: index, spans: bound(part)..bound(part + 1) }));
        }
        Self { blocks, tasks, records }
    }
}

fn blocks(sequences: &[Sequence<'_>], kv_heads: usize, group: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (index, sequence) in sequences.iter().enumerate() {
        let count = sequence.queries * group;
        for kv_head in 0..kv_heads {
            blocks.extend((0..count).step_by(BLOCK_ROWS).map(|first| {
                let rows = first..count.min(first + BLOCK_ROWS);
                let seen = sequence.seen(rows.start / group).start..sequence.seen((rows.end - 1) / group).end;
                Block { sequence: index, kv_head, rows, seen, records: None, waiting: AtomicUsize::new(0) }
            }));
        }
    }
    blocks
}
