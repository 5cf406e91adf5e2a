use std::cell::Cell;

use burn::nn::Linear;
use burn::tensor::Tensor;
use jarre_kernels::packed::{Int8Weights, QuantizedRows};
use jarre_kernels::{Activation, Inputs, LinearInput, PackedLinear, RowNorm, attend_rows, host_values};

use super::bert::bias_of;

thread_local! {
    /// Reused from batch to batch: memory that is new to the process costs a page fault for every 4 KiB.
    static SCRATCH: Cell<Scratch> = const { Cell::new(Scratch { wide: Vec::new(), context: Vec::new() }) };
}

/// What stands between the products of a layer.
#[derive(Debug, Default)]
struct Scratch {
    /// Query, key and value; then the inside of the feed-forward network.
    wide: Vec<f32>,
    /// What attention gives.
    context: Vec<f32>,
}

/// A layer of an encoder with weights in eight bits, over rows in host memory.
#[derive(Clone, Debug)]
pub(crate) struct PackedLayer {
    pub(super) qkv: PackedLinear,
    pub(super) output: PackedLinear,
    pub(super) attention_norm: RowNorm,
    pub(super) up: PackedLinear,
    pub(super) down: PackedLinear,
    pub(super) output_norm: RowNorm,
    /// Heads and their width.
    pub(super) heads: [usize; 2],
    pub(super) activation: Activation,
}

/// The states that the last of some layers makes of those before the first, `x [batch * seq, d_model]`, in place. Of sequence `i` the first
/// `lengths[i]` rows are tokens. Every product reads rows that were rounded once and adds its result to the residual where that stands.
pub(super) fn run_layers(layers: &[&PackedLayer], x: &mut [f32], lengths: &[usize]) {
    let Some(first) = layers.first() else { return };
    // Taken, not borrowed: a thread that waits for others inside a layer may begin another batch.
    let mut scratch = SCRATCH.take();
    let mut rows = quantized(x, first.attention_norm.width());
    for layer in layers {
        rows = layer.run(x, &rows, lengths, &mut scratch);
    }
    SCRATCH.set(scratch);
}

impl PackedLayer {
    /// One layer in place, given the rounded rows of `x`; gives back those of the result.
    fn run(&self, x: &mut [f32], rows: &LinearInput, lengths: &[usize], scratch: &mut Scratch) -> LinearInput {
        let d_model = self.attention_norm.width();
        let count = x.len() / d_model;
        let qkv = part(&mut scratch.wide, 3 * x.len());
        self.qkv.project(rows, qkv, false);
        let context = part(&mut scratch.context, x.len());
        attend_rows(qkv, self.heads, lengths, context);
        self.output.project(&quantized(context, d_model), x, true);
        let rows = LinearInput::Quantized(self.attention_norm.apply_quantize(x));
        let d_ff = self.up.dims()[1];
        let hidden = part(&mut scratch.wide, count * d_ff);
        self.up.project_activated(&rows, hidden, self.activation);
        self.down.project(&quantized(hidden, d_ff), x, true);
        LinearInput::Quantized(self.output_norm.apply_quantize(x))
    }
}

fn quantized(x: &[f32], width: usize) -> LinearInput {
    LinearInput::Quantized(QuantizedRows::quantize(x, x.len() / width, width))
}

/// The first values of a scratch that grows where it has fewer.
fn part(scratch: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if scratch.len() < len {
        scratch.resize(len, 0.0);
    }
    &mut scratch[..len]
}

/// The weights of `linear`, `[inputs, outputs]`, packed, with its bias.
pub(super) fn pack(linear: &Linear) -> PackedLinear {
    let weight = linear.weight.val();
    let [inputs, outputs] = weight.dims();
    PackedLinear::new(Int8Weights::quantize(&host_values(weight.transpose()), outputs, inputs), Inputs::Int8)
        .with_bias(Some(host_values(bias_of(linear))))
}

/// `x W`, without the bias.
pub(super) fn product(x: Tensor<2>, linear: &Linear, packed: Option<&PackedLinear>) -> Tensor<2> {
    match packed {
        Some(packed) => packed.clone().with_bias(None).forward(x),
        None => x.matmul(linear.weight.val()),
    }
}
