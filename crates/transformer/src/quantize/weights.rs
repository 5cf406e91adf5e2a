//! Weights on their way between burn's tensors, matrices `[outputs, inputs]` and packed layers.

use std::ops::Range;

use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData};
use jarre_kernels::packed::{Int4Weights, Int8Weights};
use jarre_kernels::{PackedWeights, host_values};
use jarre_quant::{Grid, Int4Groups, Int8Rows};

/// The weights of a layer, `[outputs, inputs]`.
pub(super) fn rows_of(linear: &Linear) -> Vec<f32> {
    host_values(linear.weight.val().transpose())
}

/// `scales` as a tensor beside `x`.
pub(super) fn beside<const D: usize>(scales: &[f32], x: &Tensor<D>) -> Tensor<1> {
    Tensor::from_data(TensorData::new(scales.to_vec(), [scales.len()]), &x.device())
}

pub(super) fn four_bits(groups: &Int4Groups) -> PackedWeights {
    four_bits_of(groups, 0..groups.rows())
}

/// Some of the rows.
pub(super) fn four_bits_of(groups: &Int4Groups, rows: Range<usize>) -> PackedWeights {
    let (scheme, columns) = (groups.scheme(), groups.columns());
    let per_row = columns / scheme.group;
    let grid = &groups.grid()[rows.start * per_row..rows.end * per_row];
    let (scales, zeros): (Vec<f32>, Vec<u8>) = grid.iter().map(|&Grid { scale, zero }| (scale, zero)).unzip();
    let zeros = scheme.zero_point.then_some(&*zeros);
    let codes = &groups.codes()[rows.start * columns..rows.end * columns];
    Int4Weights::from_parts(codes, &scales, zeros, [rows.len(), columns], scheme.group).into()
}

/// Some of the rows.
pub(super) fn eight_bits_of(whole: &Int8Rows, rows: Range<usize>) -> PackedWeights {
    let columns = whole.columns();
    let values = &whole.values()[rows.start * columns..rows.end * columns];
    Int8Weights::from_parts(values, &whole.scales()[rows.clone()], rows.len(), columns).into()
}
