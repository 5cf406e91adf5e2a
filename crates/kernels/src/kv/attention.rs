//! Attention of a batch over a cache.

#![expect(unsafe_code, reason = "tasks write to parts of one slice")]

use std::cell::RefCell;
use std::f32::consts::LOG2_E;
use std::ops::Range;
use std::sync::atomic::Ordering;

use super::batch::{RaggedBatch, Sequence, Settings, sequences};
use super::cache::{KvCache, KvShape, Planes, Store, on_planes};
use super::element::Element;
use super::kernel::Span;
use super::plan::{Block, Plan, Task};
use super::record;
use super::simd::Widen;
use super::table::{SCORES, SPAN, Table};
use crate::flash::output::Output;
use crate::flash::vector::Portable;
use crate::flash::{Isa, Team};
use crate::packed::Pool;
use crate::packed::disjoint::Disjoint;

/// Causal attention of every sequence of a batch over its keys and values in a cache, `softmax(cap(scale Q K^T)) V`, on all threads.
///
/// `queries` and `out` are `[tokens, heads, head_dim]`; query head `i` reads key head `i / (heads / kv_heads)`. Where `log_sums [tokens,
/// heads]` are given they get the logarithms of the sums of powers of e of scores, as [`merge_partials`](super::merge_partials) takes them.
/// Positions are read where a query sees them, and nothing else of the cache.
///
/// # Panics
/// Where the sizes do not fit each other, a sequence has more queries than positions or more positions than its blocks hold, a block that is
/// seen is not in the cache, or the window is 0.
pub fn ragged_attention(
    cache: &KvCache,
    queries: &[f32],
    batch: &RaggedBatch<'_>,
    settings: Settings,
    out: &mut [f32],
    log_sums: Option<&mut [f32]>,
) {
    ragged_attention_in(Team::new(Pool::global()), cache, queries, batch, settings, out, log_sums);
}

/// [`ragged_attention`] with given instructions and threads.
///
/// # Panics
/// As [`ragged_attention`].
pub fn ragged_attention_in(
    team: Team<'_>,
    cache: &KvCache,
    queries: &[f32],
    batch: &RaggedBatch<'_>,
    settings: Settings,
    out: &mut [f32],
    log_sums: Option<&mut [f32]>,
) {
    let sequences = sequences(&cache.shape, batch, settings.window);
    let tokens = batch.query_starts.last().copied().unwrap_or(0);
    let heads = heads(&cache.shape, queries, tokens);
    let output = Output::new(out, log_sums, heads, cache.shape.head_dim);
    assert!(output.holds(tokens), "outputs are as many as queries");
    let plan = Plan::new(&sequences, cache.shape.kv_heads, heads / cache.shape.kv_heads, team.pool.threads());
    let call = Call { shape: cache.shape, queries, heads, sequences: &sequences, settings, plan: &plan, output: &output };
    match team.isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Tiles(unit) => call.run_on(unit.vectors(), team.pool, &cache.store),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512(simd) => call.run_on(simd, team.pool, &cache.store),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2(simd) => call.run_on(simd, team.pool, &cache.store),
        Isa::Portable => call.run_on(Portable, team.pool, &cache.store),
    }
}

/// Heads of queries `[tokens, heads, head_dim]`.
fn heads(shape: &KvShape, queries: &[f32], tokens: usize) -> usize {
    let KvShape { kv_heads, head_dim, .. } = *shape;
    if tokens == 0 {
        assert!(queries.is_empty(), "{} queries beyond those of the sequences", queries.len());
        return kv_heads;
    }
    let heads = queries.len() / (tokens * head_dim);
    assert_eq!(queries.len(), tokens * heads * head_dim, "queries of {tokens} tokens in heads of {head_dim}");
    assert!(heads > 0 && heads.is_multiple_of(kv_heads), "{kv_heads} key heads do not divide {heads} heads");
    heads
}

/// One call's inputs, outputs and plan.
struct Call<'a> {
    shape: KvShape,
    queries: &'a [f32],
    heads: usize,
    sequences: &'a [Sequence<'a>],
    settings: Settings,
    plan: &'a Plan,
    output: &'a Output<'a>,
}

/// What a task works on, for the rows of its block.
#[derive(Default)]
struct Scratch {
    /// `[rows, head_dim]`
    queries: Vec<f32>,
    /// `[rows, SCORES]`
    scores: Vec<f32>,
    /// `[rows, pitch + TAIL]`
    records: Vec<f32>,
}

impl Scratch {
    /// Makes room for `rows`; what was there is of no meaning.
    fn resize(&mut self, rows: usize, [queries, records]: [usize; 2]) {
        self.queries.resize(rows * queries, 0.0);
        self.scores.resize(rows * SCORES, 0.0);
        self.records.resize(rows * records, 0.0);
    }
}

thread_local! {
    /// Reused from task to task.
    static SCRATCH: RefCell<(Table, Scratch)> = RefCell::new((Table::new(), Scratch::default()));
}

impl Call<'_> {
    fn run_on<S: Widen>(&self, simd: S, pool: &Pool, store: &Store) {
        on_planes!(store, planes => self.run(simd, pool, planes));
    }

    fn run<S: Widen, E: Element>(&self, simd: S, pool: &Pool, cache: &Planes<E>) {
        let mut parts = vec![0.0; self.plan.records * self.record()];
        let parts = Disjoint::new(&mut parts);
        pool.run(self.plan.tasks.len(), |index| {
            let task = &self.plan.tasks[index];
            let block = &self.plan.blocks[task.block];
            match block.records {
                None => self.run_whole(simd, cache, block, task),
                Some(first) => self.run_part(simd, cache, block, task, &parts, first),
            }
        });
    }

    /// All spans of a block.
    fn run_whole<S: Widen, E: Element>(&self, simd: S, cache: &Planes<E>, block: &Block, task: &Task) {
        let size = self.record();
        let mut rows = self.cleared(block);
        self.attend(simd, cache, block, task, |_, row, record| {
            self.merge(simd, &mut rows[row * size..(row + 1) * size], record);
        });
        self.write(block, &rows);
    }

    /// Some spans of a block; the task that is done last merges all of them.
    fn run_part<S: Widen, E: Element>(
        &self,
        simd: S,
        cache: &Planes<E>,
        block: &Block,
        task: &Task,
        parts: &Disjoint<'_, f32>,
        first: usize,
    ) {
        let (size, count, spans) = (self.record(), block.rows.len(), block.spans());
        let place = |span: usize, row: usize| {
            let index = first + (span - spans.start) * count + row;
            index * size..(index + 1) * size
        };
        self.attend(simd, cache, block, task, |span, row, record| {
            // SAFETY: each record is of one span and row of one block, which one task computes.
            unsafe { parts.part(place(span, row)) }.copy_from_slice(record);
        });
        if block.waiting.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let mut rows = self.cleared(block);
        for (row, into) in rows.chunks_exact_mut(size).enumerate() {
            for span in spans.clone().filter(|&span| !self.seen_in(block, row, span).is_empty()) {
                // SAFETY: all tasks of the block are done, so that only this thread uses its records.
                let record = unsafe { parts.part(place(span, row)) };
                self.merge(simd, into, record);
            }
        }
        self.write(block, &rows);
    }

    /// Attends spans of a block from the first to the last and gives the record of each span and row that sees some of it to `take`.
    fn attend<S: Widen, E: Element>(
        &self,
        simd: S,
        cache: &Planes<E>,
        block: &Block,
        task: &Task,
        mut take: impl FnMut(usize, usize, &[f32]),
    ) {
        SCRATCH.with_borrow_mut(|(table, scratch)| {
            scratch.resize(block.rows.len(), [self.shape.head_dim, self.record()]);
            self.load_queries(block, &mut scratch.queries);
            for span in task.spans.clone() {
                let positions = block.seen.start.max(span * SPAN)..block.seen.end.min((span + 1) * SPAN);
                table.fill(cache, &self.shape, &self.sequences[block.sequence], block.kv_head, span, &positions);
                let seen: Vec<Range<usize>> = (0..block.rows.len()).map(|row| self.seen_in(block, row, span)).collect();
                let places = positions.start - span * SPAN..positions.end - span * SPAN;
                self.span(table, cache, &places).attend(simd, &scratch.queries, &seen, &mut scratch.scores, &mut scratch.records);
                let records = scratch.records.chunks_exact(self.record()).zip(&seen).enumerate();
                records.filter(|(_, (_, seen))| !seen.is_empty()).for_each(|(row, (record, _))| take(span, row, record));
            }
        });
    }

    fn span<'a, E: Element>(&self, table: &'a Table, cache: &'a Planes<E>, places: &Range<usize>) -> Span<'a, E> {
        Span {
            keys: table.keys(cache, &self.shape),
            values: table.values(cache, &self.shape, places),
            scales: [&table.key_scales, &table.value_scales],
            softcap: self.settings.softcap,
        }
    }

    /// Places of a span that a row of a block sees; of rows in order neither end goes back.
    fn seen_in(&self, block: &Block, row: usize, span: usize) -> Range<usize> {
        let seen = self.sequences[block.sequence].seen((block.rows.start + row) / self.group());
        let place = |position: usize| position.saturating_sub(span * SPAN).min(SPAN);
        place(seen.start)..place(seen.end)
    }

    /// Query and head of a row of a block.
    fn place(&self, block: &Block, row: usize) -> (usize, usize) {
        let (row, group) = (block.rows.start + row, self.group());
        (self.sequences[block.sequence].first_query + row / group, block.kv_head * group + row % group)
    }

    /// Queries of a block's rows, multiplied by what makes scores come in units of ln 2, or divided by what caps them.
    fn load_queries(&self, block: &Block, queries: &mut [f32]) {
        let width = self.shape.head_dim;
        let Settings { scale, softcap, .. } = self.settings;
        let scale = if softcap > 0.0 { scale / softcap } else { scale * LOG2_E };
        for (row, to) in queries.chunks_exact_mut(width).enumerate() {
            let (token, head) = self.place(block, row);
            let from = &self.queries[(token * self.heads + head) * width..][..width];
            to.iter_mut().zip(from).for_each(|(to, from)| *to = from * scale);
        }
    }

    /// Records of no keys.
    fn cleared(&self, block: &Block) -> Vec<f32> {
        let mut rows = vec![0.0; block.rows.len() * self.record()];
        rows.chunks_exact_mut(self.record()).for_each(|record| record::clear(record, self.shape.pitch()));
        rows
    }

    fn merge<S: Widen>(&self, simd: S, into: &mut [f32], other: &[f32]) {
        simd.vectorize(
            #[inline(always)]
            || record::merge(simd, into, other, self.shape.pitch()),
        );
    }

    fn write(&self, block: &Block, rows: &[f32]) {
        for (row, record) in rows.chunks_exact(self.record()).enumerate() {
            let (token, head) = self.place(block, row);
            let (values, log_sum) = record::finish(record, self.shape.pitch(), self.shape.head_dim);
            // SAFETY: a row is of one block, which is written once.
            unsafe { self.output.write(token, head, values, log_sum) };
        }
    }

    fn group(&self) -> usize {
        self.heads / self.shape.kv_heads
    }

    /// Numbers of a record.
    fn record(&self) -> usize {
        self.shape.pitch() + record::TAIL
    }
}
