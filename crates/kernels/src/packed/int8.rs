//! Weights of 8 bits with a scale for every output.

use super::cpu::Level;
use super::epilogue::Values;
use super::matmul::{Context, Panels};
use super::matrix::PackedMatrix;
use super::pool::Pool;
use super::quantized_rows::{Block, LINE, QuantizedRows, quantize_row};
use super::tile::{self, PANEL, Panel, STEP, Step, Sums};

/// The most inputs for which sums of products, at most `127 * 128` each, fit 32 bits.
const MAX_INPUTS: usize = i32::MAX as usize / (127 * 128);

/// A linear layer's weights `[n, k]` (`n` outputs of `k` inputs) as 8-bit integers with one scale an output.
///
/// They are packed in panels of 32 outputs, four inputs after four (`[n / 32, k / 4, 32, 4]`), so that a product reads them as one stream:
/// a panel's sums stay in registers while the panel goes by once for every twelve rows, or 32 where the processor multiplies tiles. A last
/// panel is filled up with zeros. They take `n * k` bytes, rounded up to whole panels.
#[derive(Clone, Debug)]
pub struct Int8Weights {
    steps: Vec<Step>,
    starts: Vec<[i32; PANEL]>,
    pub(super) scales: Vec<[f32; PANEL]>,
    n: usize,
    k: usize,
}

impl Int8Weights {
    /// Quantises rows `[n, k]`, each with the scale `max |w| / 127`. An output with a NaN or infinite weight is NaN for every input.
    ///
    /// # Panics
    /// Where `weights` is not `n * k` values, or `k` is above 132,000, from where sums might not fit 32 bits.
    pub fn quantize(weights: &[f32], n: usize, k: usize) -> Self {
        assert_eq!(weights.len(), n * k, "weights of {n} outputs of {k} inputs");
        let level = Context::default().level;
        Self::pack(n, k, |output, row| quantize_row(level, &weights[output * k..(output + 1) * k], row.chunks_mut(LINE)))
    }

    /// Integers `[n, k]` and scales `[n]` quantised elsewhere.
    ///
    /// # Panics
    /// Where their numbers do not fit `n` and `k`, or `k` is above 132,000, from where sums might not fit 32 bits.
    pub fn from_parts(values: &[i8], scales: &[f32], n: usize, k: usize) -> Self {
        assert_eq!(values.len(), n * k, "weights of {n} outputs of {k} inputs");
        assert_eq!(scales.len(), n, "scales of {n} outputs");
        Self::pack(n, k, |output, row| {
            let values = &values[output * k..(output + 1) * k];
            row.iter_mut().zip(values).for_each(|(to, value)| *to = *value as u8 ^ 0x80);
            scales[output]
        })
    }

    /// Packs rows that `fill` writes, each integer 128 above its value, and whose scales it gives back.
    fn pack(n: usize, k: usize, fill: impl Fn(usize, &mut [u8]) -> f32 + Sync) -> Self {
        assert!(k <= MAX_INPUTS, "{k} inputs, of which sums might not fit 32 bits; at most {MAX_INPUTS}");
        let (panels, depth) = (n.div_ceil(PANEL), k.div_ceil(STEP));
        let mut steps = vec![Step([[0; STEP]; PANEL]); panels * depth];
        let mut scales = vec![[0.0; PANEL]; panels];
        let mut panels: Vec<_> = chunks_mut(&mut steps, depth, panels).zip(&mut scales).collect();
        Pool::global().edit_chunks(&mut panels, 1, |panel, parts| {
            for (steps, scales) in parts {
                let mut row = vec![0x80; depth * STEP];
                for (column, output) in (panel * PANEL..n.min((panel + 1) * PANEL)).enumerate() {
                    scales[column] = fill(output, &mut row[..k]);
                    write_column(steps, column, &row);
                }
            }
        });
        let starts = (0..scales.len()).map(|panel| start(&steps[panel * depth..(panel + 1) * depth])).collect();
        Self { steps, starts, scales, n, k }
    }

    /// Integers `[n, k]` and scales `[n]`, as [`from_parts`](Self::from_parts) takes them.
    pub fn parts(&self) -> (Vec<i8>, Vec<f32>) {
        let [n, k] = [self.n, self.k];
        let depth = self.depth();
        let row = |output: usize| {
            let (panel, column) = (output / PANEL, output % PANEL);
            self.steps[panel * depth..(panel + 1) * depth].iter().flat_map(move |step| step.0[column]).take(k)
        };
        ((0..n).flat_map(row).collect(), self.scales.as_flattened()[..n].to_vec())
    }

    fn depth(&self) -> usize {
        self.k.div_ceil(STEP)
    }
}

impl Panels for Int8Weights {
    type Block = Block;
    type Sums = Sums<i32>;

    fn shape(&self) -> [usize; 2] {
        [self.n, self.k]
    }

    fn panel_bytes(&self) -> usize {
        self.depth() * size_of::<Step>()
    }

    fn multiply(&self, level: Level, blocks: &[Block], panel: usize, sums: &mut [Sums<i32>]) {
        let depth = self.depth();
        let panel = Panel { steps: &self.steps[panel * depth..(panel + 1) * depth], start: &self.starts[panel] };
        blocks.iter().zip(sums).for_each(|(block, sums)| tile::multiply(level, block, panel, sums));
    }

    #[inline(always)]
    fn values(&self, block: &Block, panel: usize, row: usize, sums: &Sums<i32>) -> Values {
        let mut values = Values::ZERO;
        for ((value, sum), scale) in values.0.iter_mut().zip(&sums.0[row]).zip(&self.scales[panel]) {
            *value = *sum as f32 * block.scales[row] * scale;
        }
        values
    }
}

impl PackedMatrix for Int8Weights {
    fn with_blocks(&self, _context: Context<'_>, x: &QuantizedRows, run: impl FnOnce(&[Block])) {
        run(x.blocks());
    }

    #[inline(always)]
    fn widen(&self, panel: usize, step: usize, weights: &mut [[f32; PANEL * STEP]; 2]) {
        let depth = self.depth();
        for (half, weights) in weights.iter_mut().enumerate() {
            let step = 2 * step + half;
            if step >= depth {
                weights.fill(0.0);
                continue;
            }
            let integers = &self.steps[panel * depth + step].0;
            for ((weights, integers), scale) in weights.as_chunks_mut::<STEP>().0.iter_mut().zip(integers).zip(&self.scales[panel]) {
                *weights = integers.map(|integer| f32::from(integer) * scale);
            }
        }
    }

    fn dequantize(&self) -> Vec<f32> {
        let (values, scales) = self.parts();
        let rows = scales.iter().enumerate().map(|(output, scale)| (&values[output * self.k..(output + 1) * self.k], scale));
        rows.flat_map(|(row, scale)| row.iter().map(move |&value| f32::from(value) * scale)).collect()
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.steps) + size_of_val(&*self.starts) + size_of_val(&*self.scales)
    }
}

/// `count` parts of `size` values, which may be 0.
fn chunks_mut<T>(mut values: &mut [T], size: usize, count: usize) -> impl Iterator<Item = &mut [T]> {
    (0..count).map(move |_| values.split_off_mut(..size).unwrap_or_default())
}

/// Writes an output's weights, each 128 above its value, to its column of a panel.
fn write_column(steps: &mut [Step], column: usize, row: &[u8]) {
    for (step, weights) in steps.iter_mut().zip(row.as_chunks::<STEP>().0) {
        step.0[column] = weights.map(|weight| (weight ^ 0x80) as i8);
    }
}

/// What the sums of a panel start from: see [`Panel`].
fn start(steps: &[Step]) -> [i32; PANEL] {
    let mut start = [0_i32; PANEL];
    for step in steps {
        for (sum, weights) in start.iter_mut().zip(&step.0) {
            *sum -= 128 * weights.iter().map(|&weight| i32::from(weight)).sum::<i32>();
        }
    }
    start
}
