//! Products: which tiles are computed by whom, and in which order.

#![expect(unsafe_code, reason = "tasks write to tiles of one output")]

use std::ops::Range;

use super::cpu::Level;
use super::disjoint::Disjoint;
use super::epilogue::{Activation, Epilogue, Scaled};
use super::int8::Int8Weights;
use super::pool::{Pool, chunk};
use super::quantized_rows::{Block, QuantizedRows};
use super::tile::{self, BLOCK, PANEL, Sums};

/// Bytes of weights of a task, about a second-level cache, that blocks of rows pass by.
const TASK_BYTES: usize = 1024 * 1024;
/// Blocks of rows of a task: enough to pay for reading its weights, few enough to share the work evenly.
const TASK_BLOCKS: usize = 8;
/// Tasks a thread, at least, where there is enough work: a thread that is held up for a moment leaves the rest to others.
const TASKS_PER_THREAD: usize = 32;
/// Multiplications below which one thread takes less time than waking another.
const SMALL: usize = 1 << 17;

/// What computes a product: instructions and threads. They change how long it takes, and no bit of the result.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub(super) level: Level,
    pub(super) pool: &'a Pool,
}

impl<'a> Context<'a> {
    /// Given instructions and threads.
    pub fn new(level: Level, pool: &'a Pool) -> Self {
        Self { level, pool }
    }
}

impl Default for Context<'static> {
    /// The processor's fastest instructions on the process's threads.
    fn default() -> Self {
        Self::new(Level::detect(), Pool::global())
    }
}

impl Int8Weights {
    /// Rows `x` `[m, k]` times the weights, through the epilogue, to `out` `[m, n]`: quantises the rows, then
    /// [`matmul_quantized`](Self::matmul_quantized).
    ///
    /// # Panics
    /// Where `x` is not whole rows of `k` values, `out` is not as many rows of `n`, or the epilogue's slices do not fit.
    pub fn matmul(&self, x: &[f32], out: &mut [f32], epilogue: &Epilogue<'_>) {
        let m = if self.inputs() == 0 { out.len().checked_div(self.outputs()).unwrap_or(0) } else { x.len() / self.inputs() };
        self.matmul_quantized(&QuantizedRows::quantize(x, m, self.inputs()), out, epilogue);
    }

    /// `out[i, j] = sum_l(x[i, l] w[j, l]) scale_x[i] scale_w[j]`, through the epilogue: rows `[m, k]` to `out` `[m, n]`.
    ///
    /// Products of few rows run as fast as the weights can be read, others as fast as the integer units multiply.
    ///
    /// # Panics
    /// Where the rows are not of `k` values, `out` is not `m * n` values, or the epilogue's slices do not fit.
    pub fn matmul_quantized(&self, x: &QuantizedRows, out: &mut [f32], epilogue: &Epilogue<'_>) {
        self.matmul_in(Context::default(), x, out, epilogue);
    }

    /// [`matmul_quantized`](Self::matmul_quantized) with given instructions and threads.
    ///
    /// # Panics
    /// As [`matmul_quantized`](Self::matmul_quantized).
    pub fn matmul_in(&self, context: Context<'_>, x: &QuantizedRows, out: &mut [f32], epilogue: &Epilogue<'_>) {
        epilogue.check(x.rows(), self.outputs());
        let product = Product { context, x, weights: [self], n: self.outputs() };
        product.run(
            out,
            #[inline(always)]
            |out, [sums], column, index| epilogue.write(out, &sums, column, index),
        );
    }

    /// `activation(x gate) * (x up)` with these weights as the gate: rows `[m, k]` to `out` `[m, n]`.
    ///
    /// # Panics
    /// Where both weights have not the same shape, the rows are not of `k` values, or `out` is not `m * n` values.
    pub fn matmul_gated(&self, up: &Self, x: &QuantizedRows, out: &mut [f32], activation: Activation) {
        self.matmul_gated_in(Context::default(), up, x, out, activation);
    }

    /// [`matmul_gated`](Self::matmul_gated) with given instructions and threads.
    ///
    /// # Panics
    /// As [`matmul_gated`](Self::matmul_gated).
    pub fn matmul_gated_in(&self, context: Context<'_>, up: &Self, x: &QuantizedRows, out: &mut [f32], activation: Activation) {
        assert_eq!((self.outputs(), self.inputs()), (up.outputs(), up.inputs()), "shapes of gate and up");
        let product = Product { context, x, weights: [self, up], n: self.outputs() };
        product.run(
            out,
            #[inline(always)]
            |out, [gate, up], _, _| activation.write_gated(out, &gate, &up),
        );
    }
}

/// Rows times `W` weights of one shape.
struct Product<'a, const W: usize> {
    context: Context<'a>,
    x: &'a QuantizedRows,
    weights: [&'a Int8Weights; W],
    n: usize,
}

impl<const W: usize> Product<'_, W> {
    /// Runs all tiles. `write` gets up to 32 values of an output row, what they are made from, their column, and their index in `out`.
    fn run(&self, out: &mut [f32], write: impl Fn(&mut [f32], [Scaled<'_>; W], usize, usize) + Sync) {
        let (m, k) = (self.x.rows(), self.x.width());
        assert!(self.weights.iter().all(|weights| weights.inputs() == k), "inputs of the weights and values of a row, {k}");
        assert_eq!(out.len(), m * self.n, "values of the output of {m} rows and {} outputs", self.n);
        let Some(first) = self.weights.first().filter(|_| m > 0 && self.n > 0) else { return };
        let out = Disjoint::new(out);
        let plan = Plan::new(self.x.blocks().len(), first.panels(), first.panel_bytes() * W, self.context.pool.threads());
        let task = |task| {
            let (blocks, panels) = plan.task(task);
            self.tiles(&out, blocks, panels, &write);
        };
        if m * k * self.n * W < SMALL {
            (0..plan.tasks()).for_each(task);
        } else {
            self.context.pool.run(plan.tasks(), task);
        }
    }

    /// The tiles of some blocks of rows and some panels of outputs.
    fn tiles(
        &self,
        out: &Disjoint<'_, f32>,
        blocks: Range<usize>,
        panels: Range<usize>,
        write: &impl Fn(&mut [f32], [Scaled<'_>; W], usize, usize),
    ) {
        let mut sums = [[[0; PANEL]; BLOCK]; W];
        for block in blocks {
            let rows = &self.x.blocks()[block];
            for panel in panels.clone() {
                for (weights, sums) in self.weights.iter().zip(&mut sums) {
                    tile::multiply(self.context.level, &rows.values, rows.rows, weights.panel(panel), sums);
                }
                self.finish(out, (block, rows), panel, &sums, write);
            }
        }
    }

    /// Writes a tile to the output.
    fn finish(
        &self,
        out: &Disjoint<'_, f32>,
        (block, rows): (usize, &Block),
        panel: usize,
        sums: &[Sums; W],
        write: &impl Fn(&mut [f32], [Scaled<'_>; W], usize, usize),
    ) {
        let columns = chunk(panel, PANEL, self.n);
        let scales = self.weights.map(|weights| weights.panel_scales(panel));
        self.context.level.vectorize(
            #[inline(always)]
            || {
                for (row, scale) in rows.scales[..rows.rows].iter().enumerate() {
                    let index = (block * BLOCK + row) * self.n + columns.start;
                    // SAFETY: a tile is computed by one task, and tiles do not overlap: each has rows or columns of its own.
                    let out = unsafe { out.part(index..index + columns.len()) };
                    let parts = std::array::from_fn(
                        #[inline(always)]
                        |i| Scaled { sums: &sums[i][row], row: *scale, columns: scales[i] },
                    );
                    write(out, parts, columns.start, index);
                }
            },
        );
    }
}

/// How tiles are shared out: tasks of some blocks of rows by some panels, those of the same panels one after another.
struct Plan {
    blocks: usize,
    panels: usize,
    task_blocks: usize,
    task_panels: usize,
}

impl Plan {
    fn new(blocks: usize, panels: usize, panel_bytes: usize, threads: usize) -> Self {
        let task_blocks = blocks.min(TASK_BLOCKS);
        let cached = (TASK_BYTES / panel_bytes.max(1)).max(1);
        let shared = (panels * blocks.div_ceil(task_blocks) / (threads * TASKS_PER_THREAD)).max(1);
        Self { blocks, panels, task_blocks, task_panels: cached.min(shared) }
    }

    fn tasks(&self) -> usize {
        self.blocks.div_ceil(self.task_blocks) * self.panels.div_ceil(self.task_panels)
    }

    /// Blocks and panels of a task.
    fn task(&self, index: usize) -> (Range<usize>, Range<usize>) {
        let per_panels = self.blocks.div_ceil(self.task_blocks);
        let blocks = chunk(index % per_panels, self.task_blocks, self.blocks);
        (blocks, chunk(index / per_panels, self.task_panels, self.panels))
    }
}
