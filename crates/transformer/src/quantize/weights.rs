//! Weights on their way between burn's tensors, matrices `[outputs, inputs]` and packed layers.

use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData};
use jarre_kernels::packed::Int4Weights;
use jarre_kernels::{PackedWeights, host_values};
use jarre_quant::{Grid, Int4Groups};

/// The weights of a layer, `[outputs, inputs]`.
pub(super) fn rows_of(linear: &Linear) -> Vec<f32> {
    host_values(linear.weight.val().transpose())
}

/// `scales` as a tensor beside `x`.
pub(super) fn beside<const D: usize>(scales: &[f32], x: &Tensor<D>) -> Tensor<1> {
    Tensor::from_data(TensorData::new(scales.to_vec(), [scales.len()]), &x.device())
}

pub(super) fn four_bits(groups: &Int4Groups) -> PackedWeights {
    let scheme = groups.scheme();
    let (scales, zeros): (Vec<f32>, Vec<u8>) = groups.grid().iter().map(|&Grid { scale, zero }| (scale, zero)).unzip();
    let zeros = scheme.zero_point.then_some(&*zeros);
    Int4Weights::from_parts(groups.codes(), &scales, zeros, [groups.rows(), groups.columns()], scheme.group).into()
}
