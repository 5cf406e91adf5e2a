//! What kernels have to do at least: operations, and bytes that they read and write if nothing is read twice.

use std::ops::AddAssign;

use jarre_transformer::DecoderConfig;

use super::kernel::Kernel;
use super::linear::Linear;
use super::replica::Layer;
use super::step::Step;

/// The arithmetic that a kernel is held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Unit {
    /// In f32.
    #[default]
    Float,
    /// As packed products multiply: in eight bits, or in bfloat16.
    Packed,
}

/// The work of one kind of kernel in a step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Work {
    pub(super) operations: f64,
    pub(super) bytes: f64,
    pub(super) unit: Unit,
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.operations += other.operations;
        self.bytes += other.bytes;
        self.unit = other.unit;
    }
}

/// Work by kernel, in the order of [`Kernel::ALL`].
pub(super) type Works = [Work; Kernel::ALL.len()];

/// What a layer does in a step. `kv_bytes` are those of a position in the cache, keys and values together.
pub(super) fn of_layer(layer: &Layer, step: &Step, config: &DecoderConfig, kv_bytes: f64, works: &mut Works) {
    let rows = step.rows() as f64;
    let (queries, keys) = ((config.n_heads * config.head_width()) as f64, (config.kv_heads() * config.head_width()) as f64);
    let width = config.d_model as f64;
    let norms = 2.0 + 2.0 * f64::from(u8::from(layer.out_norms.is_some()));
    works[Kernel::Norm as usize] += floats(4.0 * norms * rows * width, norms * rows * width * (4.0 + layer.input_bytes()));
    if layer.query_norm.is_some() {
        works[Kernel::Norm as usize] += floats(4.0 * rows * (queries + keys), 8.0 * rows * (queries + keys));
    }
    for linear in [&layer.query, &layer.key, &layer.value] {
        works[Kernel::Qkv as usize] += product(linear, rows, layer.input_bytes(), 4.0);
    }
    let rope = floats(3.0 * rows * (queries + keys), rows * (8.0 * queries + 8.0 * keys + kv_bytes));
    works[Kernel::RopeKvWrite as usize] += rope;
    let (pairs, seen) = pairs(step, layer.settings.window);
    works[Kernel::Attention as usize] += floats(4.0 * pairs * queries, seen * kv_bytes + 8.0 * rows * queries);
    works[Kernel::Output as usize] += product(&layer.output, rows, 4.0, 8.0);
    for linear in layer.gate.iter().chain([&layer.up]) {
        works[Kernel::GateUp as usize] += product(linear, rows, layer.input_bytes(), 4.0 / if layer.gate.is_some() { 2.0 } else { 1.0 });
    }
    works[Kernel::Down as usize] += product(&layer.down, rows, 4.0, 8.0);
}

/// What comes before and after the layers.
pub(super) fn of_ends(head: &Linear, step: &Step, config: &DecoderConfig, works: &mut Works) {
    let (rows, outputs, width, vocabulary) =
        (step.rows() as f64, step.outputs.len() as f64, config.d_model as f64, config.vocab_size as f64);
    let angles = rows * config.head_width() as f64;
    works[Kernel::Embedding as usize] += floats(angles, 8.0 * rows * width + 4.0 * angles);
    works[Kernel::Norm as usize] += floats(4.0 * outputs * width, 8.0 * outputs * width);
    works[Kernel::Head as usize] += product(head, outputs, 4.0, 4.0);
    works[Kernel::Sampling as usize] += floats(outputs * vocabulary, 4.0 * outputs * vocabulary);
}

fn floats(operations: f64, bytes: f64) -> Work {
    Work { operations, bytes, unit: Unit::Float }
}

fn product(linear: &Linear, rows: f64, input_bytes: f64, output_bytes: f64) -> Work {
    let [inputs, outputs] = linear.dims().map(|size| size as f64);
    let bytes = linear.bytes() as f64 + rows * (inputs * input_bytes + outputs * output_bytes);
    Work { operations: 2.0 * rows * inputs * outputs, bytes, unit: linear.unit() }
}

/// Pairs of tokens that see each other in one head, and positions of the cache that are seen.
fn pairs(step: &Step, window: Option<usize>) -> (f64, f64) {
    let window = window.unwrap_or(usize::MAX);
    let (mut pairs, mut seen) = (0, 0);
    for (_, new, length) in step.sequences() {
        pairs += (length - new + 1..=length).map(|keys| keys.min(window)).sum::<usize>();
        seen += length.min(window.saturating_add(new - 1));
    }
    (pairs as f64, seen as f64)
}

#[cfg(test)]
mod tests {
    use jarre_kernels::WeightLayout;

    use super::*;
    use crate::args::Quant;

    #[test]
    fn pairs_are_those_of_causal_attention() {
        assert_eq!(pairs(&Step::prefill(5, 9), None), (15.0, 5.0));
        assert_eq!(pairs(&Step::prefill(5, 9), Some(2)), (9.0, 5.0));
        assert_eq!(pairs(&Step::decode(3, 7, 9), None), (24.0, 24.0));
        assert_eq!(pairs(&Step::decode(3, 7, 9), Some(4)), (12.0, 12.0));
    }

    #[test]
    fn products_read_their_weights_once() {
        let linear = Linear::new([64, 32], false, Some(Quant::Int8), WeightLayout::InputFirst);
        let work = product(&linear, 10.0, 1.0, 4.0);
        assert!((work.operations - 2.0 * 10.0 * 64.0 * 32.0).abs() < 1e-9 && work.unit == Unit::Packed);
        assert!((work.bytes - (linear.bytes() as f64 + 10.0 * 64.0 + 10.0 * 32.0 * 4.0)).abs() < 1e-9);
    }
}
