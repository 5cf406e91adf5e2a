//! Products: which tiles are computed by whom, and in which order.

#![expect(unsafe_code, reason = "tasks write to tiles of one output")]

use std::ops::Range;

use super::cpu::Level;
use super::disjoint::Disjoint;
use super::epilogue::{Epilogue, Values, write_gated};
use super::pool::{Pool, chunk};
use super::tile::PANEL;
use crate::Activation;

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

/// Weights in panels of 32 outputs, which are multiplied by blocks of rows.
pub trait Panels: Sync {
    /// Rows as the weights read them.
    type Block: Rows;
    /// The sums of one tile.
    type Sums: Copy + Default;

    /// Outputs and inputs, `[n, k]`.
    fn shape(&self) -> [usize; 2];

    /// Bytes of a panel.
    fn panel_bytes(&self) -> usize;

    /// The sums of the rows of some blocks over a panel, `sums` being as many as blocks.
    fn multiply(&self, level: Level, blocks: &[Self::Block], panel: usize, sums: &mut [Self::Sums]);

    /// The products of one row of a tile.
    fn values(&self, block: &Self::Block, panel: usize, row: usize, sums: &Self::Sums) -> Values;
}

/// A block of rows.
pub trait Rows: Sync {
    /// How many; every block but the last has as many as the first.
    fn rows(&self) -> usize;
}

/// Rows times `W` weights of one shape.
pub(super) struct Product<'a, P: Panels, const W: usize> {
    pub(super) context: Context<'a>,
    pub(super) blocks: &'a [P::Block],
    /// Rows.
    pub(super) m: usize,
    pub(super) weights: [&'a P; W],
}

impl<P: Panels> Product<'_, P, 1> {
    /// The product through the epilogue.
    ///
    /// # Panics
    /// Where the shapes do not fit.
    pub(super) fn write(&self, out: &mut [f32], epilogue: &Epilogue<'_>) {
        epilogue.check(self.m, self.weights[0].shape()[0]);
        self.run(
            out,
            #[inline(always)]
            |out, [values], column, index| epilogue.write(out, values, column, index),
        );
    }
}

impl<P: Panels> Product<'_, P, 2> {
    /// `activation(first) * second`.
    ///
    /// # Panics
    /// Where the shapes do not fit.
    pub(super) fn write_gated(&self, out: &mut [f32], activation: Activation) {
        let [gate, up] = self.weights;
        assert_eq!(gate.shape(), up.shape(), "shapes of gate and up");
        // Blocks of rows are made for the groups of the gate, and the number of groups is all that panels of one shape differ by.
        assert_eq!(gate.panel_bytes(), up.panel_bytes(), "groups of gate and up, told by the bytes of their panels");
        self.run(
            out,
            #[inline(always)]
            |out, [gate, up], _, _| write_gated(activation, out, gate, &up),
        );
    }
}

impl<P: Panels, const W: usize> Product<'_, P, W> {
    /// Runs all tiles. `write` gets up to 32 values of an output row, the products that they are made from, their column, and their index
    /// in `out`.
    fn run(&self, out: &mut [f32], write: impl Fn(&mut [f32], [Values; W], usize, usize) + Sync) {
        let [n, k] = self.weights[0].shape();
        assert_eq!(out.len(), self.m * n, "values of the output of {} rows and {n} outputs", self.m);
        if out.is_empty() {
            return;
        }
        let out = Disjoint::new(out);
        let panel_bytes = self.weights[0].panel_bytes() * W;
        let plan = Plan::new(self.blocks.len(), n.div_ceil(PANEL), panel_bytes, self.context.pool.threads());
        let task = |task| {
            let (blocks, panels) = plan.task(task);
            self.tiles(&out, blocks, panels, &write);
        };
        if self.m * k * n * W < SMALL {
            (0..plan.tasks()).for_each(task);
        } else {
            self.context.pool.run(plan.tasks(), task);
        }
    }

    /// Rows of every block but the last.
    fn block_rows(&self) -> usize {
        self.blocks[0].rows()
    }

    /// The tiles of some blocks of rows and some panels of outputs.
    fn tiles(
        &self,
        out: &Disjoint<'_, f32>,
        blocks: Range<usize>,
        panels: Range<usize>,
        write: &impl Fn(&mut [f32], [Values; W], usize, usize),
    ) {
        let mut sums: [_; W] = std::array::from_fn(|_| vec![P::Sums::default(); blocks.len()]);
        for panel in panels {
            for block in blocks.clone() {
                (0..self.blocks[block].rows()).for_each(|row| out.fetch(self.place(block, row, panel)));
            }
            for (weights, sums) in self.weights.iter().zip(&mut sums) {
                weights.multiply(self.context.level, &self.blocks[blocks.clone()], panel, sums);
            }
            for (index, block) in blocks.clone().enumerate() {
                self.finish(out, block, panel, sums.each_ref().map(|sums| &sums[index]), write);
            }
        }
    }

    /// Where a row of a tile stands in the output.
    #[inline(always)]
    fn place(&self, block: usize, row: usize, panel: usize) -> Range<usize> {
        let n = self.weights[0].shape()[0];
        let start = (block * self.block_rows() + row) * n;
        let columns = chunk(panel, PANEL, n);
        start + columns.start..start + columns.end
    }

    /// Writes a tile to the output.
    fn finish(
        &self,
        out: &Disjoint<'_, f32>,
        block: usize,
        panel: usize,
        sums: [&P::Sums; W],
        write: &impl Fn(&mut [f32], [Values; W], usize, usize),
    ) {
        let rows = &self.blocks[block];
        self.context.level.vectorize(
            #[inline(always)]
            || {
                for row in 0..rows.rows() {
                    let place = self.place(block, row, panel);
                    let index = place.start;
                    // SAFETY: a tile is computed by one task, and tiles do not overlap: each has rows or columns of its own.
                    let out = unsafe { out.part(place) };
                    // A loop, as `array::from_fn` is a call for every row.
                    let mut values = [Values::ZERO; W];
                    for (values, (weights, sums)) in values.iter_mut().zip(self.weights.iter().zip(sums)) {
                        *values = weights.values(rows, panel, row, sums);
                    }
                    write(out, values, panel * PANEL, index);
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
