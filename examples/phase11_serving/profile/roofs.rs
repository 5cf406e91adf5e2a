//! What the machine does at best: reading memory, and multiplying.

use std::time::Instant;

use jarre_kernels::packed::{Epilogue, Int4Weights, Int8Weights, Pool};
use jarre_kernels::{Bf16Weights, Inputs, PackedWeights, Precision, WeightLayout, host_values, linear};
use jarre_transformer::{Device, Tensor};
use serde::Serialize;

use super::linear::noise;
use super::work::{Unit, Work};
use crate::args::Quant;

const ROUNDS: usize = 5;

/// Rows, outputs and inputs of products that are large enough to keep all cores busy, the second of which hides more of its memory.
const PRODUCTS: [[usize; 3]; 2] = [[512, 2048, 2048], [1024, 2048, 2048]];

/// Numbers of a task of the loop and of a cache line, and places that it reads in turn.
const CHUNK: usize = 1 << 16;
const LINE: usize = 8;
const STREAMS: usize = 4;

/// Measured at the same time as the kernels. Compute roofs are those of this workspace's fastest large products: what a kernel could reach with
/// work of the best shape.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Roofs {
    pub(super) threads: usize,
    /// GB/s from memory, of a sum over more than caches hold.
    pub(super) memory: f64,
    /// GB/s of a sum over as many bytes as the model's weights have: more, where a cache holds them.
    pub(super) weights: f64,
    /// GFLOP/s of products in f32.
    pub(super) float: f64,
    /// GOP/s of products with packed weights of the kind that was chosen.
    pub(super) packed: Option<f64>,
}

impl Roofs {
    pub(super) fn measure(quant: Option<Quant>, buffer: usize, weights: usize) -> Self {
        Self {
            threads: Pool::global().threads(),
            memory: bandwidth(buffer),
            weights: bandwidth(weights),
            float: best(float_product),
            packed: quant.map(|quant| best(|sizes| packed_product(quant, sizes))),
        }
    }

    /// The most operations a second, in units of 1e9, that work of this kind can reach: by arithmetic, or by the memory that it needs.
    pub(super) fn over(&self, work: &Work) -> f64 {
        self.compute(work.unit).min(work.operations / work.bytes * self.weights)
    }

    /// Whether arithmetic is what ends first.
    pub(super) fn is_compute_bound(&self, work: &Work) -> bool {
        work.operations / work.bytes * self.weights >= self.compute(work.unit)
    }

    pub(super) fn compute(&self, unit: Unit) -> f64 {
        match unit {
            Unit::Float => self.float,
            Unit::Packed => self.packed.unwrap_or(self.float),
        }
    }
}

/// GB/s of a sum over `bytes`, on all threads.
fn bandwidth(bytes: usize) -> f64 {
    let memory = vec![1_u64; (bytes / size_of::<u64>()).max(1)];
    let rounds = (0..=ROUNDS).map(|_| seconds(|| assert_eq!(std::hint::black_box(sum(&memory)), memory.len() as u64)));
    // The first one warms up.
    size_of_val(&memory[..]) as f64 / rounds.skip(1).fold(f64::INFINITY, f64::min) / 1e9
}

/// The sum of all numbers. Each thread reads several places in turn, so that more memory is on its way than one stream asks for.
fn sum(memory: &[u64]) -> u64 {
    let mut sums = vec![0_u64; memory.len().div_ceil(CHUNK)];
    Pool::global().edit_chunks(&mut sums, 1, |index, sum| {
        let chunk = &memory[index * CHUNK..memory.len().min((index + 1) * CHUNK)];
        let part = |stream: usize| &chunk[chunk.len() * stream / STREAMS..chunk.len() * (stream + 1) / STREAMS];
        let parts: [(&[[u64; LINE]], &[u64]); STREAMS] = std::array::from_fn(|stream| part(stream).as_chunks());
        let mut lanes = [0_u64; LINE];
        for line in 0..parts.iter().map(|(lines, _)| lines.len()).max().unwrap_or(0) {
            for line in parts.iter().filter_map(|(lines, _)| lines.get(line)) {
                lanes.iter_mut().zip(line).for_each(|(lane, number)| *lane = lane.wrapping_add(*number));
            }
        }
        sum[0] = lanes.iter().sum::<u64>() + parts.iter().flat_map(|(_, rest)| *rest).sum::<u64>();
    });
    sums.iter().sum()
}

/// The fastest of some sizes and rounds, in units of 1e9 operations a second.
fn best<P: FnMut() -> f64>(product: impl Fn([usize; 3]) -> P) -> f64 {
    let rate = |sizes: [usize; 3]| {
        let mut run = product(sizes);
        let operations = 2.0 * sizes.iter().map(|size| *size as f64).product::<f64>();
        (0..=ROUNDS).map(|_| operations / run() / 1e9).fold(0.0, f64::max)
    };
    PRODUCTS.into_iter().map(rate).fold(0.0, f64::max)
}

/// Seconds of a product in f32, each time that it is called.
fn float_product([m, n, k]: [usize; 3]) -> impl FnMut() -> f64 {
    let tensor = |dims: [usize; 2]| Tensor::<1>::from_data(noise(dims[0] * dims[1]).as_slice(), &Device::default()).reshape(dims);
    let (x, weight): (Tensor<2>, Tensor<2>) = (tensor([m, k]), tensor([k, n]));
    move || {
        let (x, weight) = (x.clone(), weight.clone());
        seconds(|| {
            std::hint::black_box(host_values(linear(x, weight, None, WeightLayout::InputFirst, Precision::F32)));
        })
    }
}

/// Seconds of a product with packed weights, rounding of inputs included.
fn packed_product(quant: Quant, [m, n, k]: [usize; 3]) -> impl FnMut() -> f64 {
    let values = noise(n * k);
    let weights: PackedWeights = match quant {
        Quant::Int8 => Int8Weights::quantize(&values, n, k).into(),
        Quant::Int4 => Int4Weights::quantize(&values, n, k, 32).into(),
        Quant::Bf16 => Bf16Weights::new(&values, [n, k]).into(),
    };
    let (x, mut out) = (noise(m * k), vec![0.0; m * n]);
    move || seconds(|| weights.matmul(Inputs::Int8, &x, &mut out, &Epilogue::default()))
}

fn seconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_reads_every_number_once() {
        for count in [0_u64, 1, 7, 100, CHUNK as u64 - 3, 3 * CHUNK as u64 + 17] {
            let memory: Vec<u64> = (1..=count).collect();
            assert_eq!(sum(&memory), count * (count + 1) / 2);
        }
    }

    #[test]
    fn the_lower_roof_binds() {
        let roofs = Roofs { threads: 1, memory: 5.0, weights: 10.0, float: 100.0, packed: Some(400.0) };
        let work = |operations, unit| Work { operations, bytes: 1.0, unit };
        assert!((roofs.over(&work(2.0, Unit::Float)) - 20.0).abs() < 1e-12 && !roofs.is_compute_bound(&work(2.0, Unit::Float)));
        assert!((roofs.over(&work(20.0, Unit::Float)) - 100.0).abs() < 1e-12 && roofs.is_compute_bound(&work(20.0, Unit::Float)));
        assert!((roofs.over(&work(20.0, Unit::Packed)) - 200.0).abs() < 1e-12 && !roofs.is_compute_bound(&work(20.0, Unit::Packed)));
    }
}
