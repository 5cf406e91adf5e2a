//! Batches of padded rows.

use burn::tensor::Tensor;

use crate::reference::largest;

pub(crate) fn slices(rows: &[Vec<u32>]) -> Vec<&[u32]> {
    rows.iter().map(Vec::as_slice).collect()
}

pub(crate) fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec().unwrap()
}

/// The largest difference of two `[batch, seq, width]` lists in the first `lengths[i]` places of sequence `i`.
pub(crate) fn largest_in_tokens(ours: &[f32], theirs: &[f32], lengths: &[usize]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let row = ours.len() / lengths.len();
    let width = row / lengths.iter().max().unwrap();
    let part = |values: &[f32], index: usize| values[index * row..index * row + lengths[index] * width].to_vec();
    (0..lengths.len()).map(|index| largest(&part(ours, index), &part(theirs, index))).fold(0.0, f32::max)
}
