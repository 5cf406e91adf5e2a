use std::ops::Range;

use jarre_transformer::paged::{PagedAdapter, PagedBatch};

use crate::{LoraAdapter, ScheduledSequence, Scheduler, SchedulerOutput};

/// A planned step as the model reads it.
#[derive(Debug, Default)]
pub(super) struct Batch<'a> {
    tokens: Vec<u32>,
    query_starts: Vec<usize>,
    context_lens: Vec<usize>,
    block_tables: Vec<&'a [u32]>,
    adapters: Vec<Option<&'a PagedAdapter>>,
    outputs: Vec<usize>,
    /// The rows of logits that each planned sequence gets.
    rows: Vec<Range<usize>>,
}

impl<'a> Batch<'a> {
    /// Of the sequences that the model reads, with their adapters: pooled ones are not among them. `all_rows` says whose logits are wanted after
    /// every token.
    pub(super) fn new(
        scheduler: &'a Scheduler,
        plan: &SchedulerOutput,
        adapters: &'a [Option<LoraAdapter>],
        all_rows: impl Fn(&ScheduledSequence) -> bool,
    ) -> Self {
        let mut batch = Self { query_starts: vec![0], ..Self::default() };
        for planned in &plan.scheduled {
            let sequence = scheduler.sequence(planned.id).expect("planned sequences are there until the step is finished");
            if sequence.is_pooled() {
                batch.rows.push(0..0);
                continue;
            }
            let known = planned.count - planned.drafts;
            batch.tokens.extend(&sequence.tokens()[planned.start..planned.start + known]);
            batch.tokens.extend(&scheduler.drafts(planned.id)[..planned.drafts]);
            batch.context_lens.push(planned.start + planned.count);
            batch.block_tables.push(sequence.block_table());
            batch.add_outputs(planned, all_rows(planned));
            batch.query_starts.push(batch.tokens.len());
        }
        batch.adapters = adapters.iter().map(|adapter| Some(adapter.as_ref()?.weights())).collect();
        batch
    }

    /// Whether the model has nothing to read.
    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Logits are wanted after all tokens of a sequence, or where it is sampled.
    fn add_outputs(&mut self, planned: &ScheduledSequence, all: bool) {
        let wanted = match (all, planned.sampled) {
            (true, _) => planned.count,
            (false, true) => 1 + planned.drafts,
            (false, false) => 0,
        };
        let first = self.outputs.len();
        self.outputs.extend(self.tokens.len() - wanted..self.tokens.len());
        self.rows.push(first..self.outputs.len());
    }

    pub(super) fn paged(&self) -> PagedBatch<'_> {
        PagedBatch {
            tokens: &self.tokens,
            query_starts: &self.query_starts,
            context_lens: &self.context_lens,
            block_tables: &self.block_tables,
            adapters: &self.adapters,
            outputs: &self.outputs,
        }
    }

    /// The rows of logits that each planned sequence gets.
    pub(super) fn into_rows(self) -> Vec<Range<usize>> {
        self.rows
    }
}
