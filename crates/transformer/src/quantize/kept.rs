//! Layers that lie in a folder in eight or four bits and stay so.

use std::ops::Range;

use jarre_kernels::{Inputs, PackedLinear, PackedWeights};
use jarre_quant::Int4Groups;
use jarre_quant::checkpoint::PackedLayer;

use super::weights::{eight_bits_of, four_bits_of};
use crate::decoder::{Decoder, DecoderNames, Projection};
use crate::weights::{Layout, Naming, Place, TensorSource, Weights};

/// The largest group of the kernels, which multiply groups of whole octets.
const LARGEST_GROUP: usize = 65_536;
const OCTET: usize = 8;

/// The most inputs of weights of eight bits, whose sums have to fit 32.
const MOST_INPUTS: usize = 132_000;

/// Which layers keep what a folder holds of them, and what they multiply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) inputs: Inputs,
    /// Whether those of eight bits do, beside those of four.
    pub(crate) eight_bits: bool,
}

/// Gives the linear layers of `decoder` the integers of `weights`, where these can be multiplied.
pub(crate) fn keep_codes(decoder: &mut Decoder, names: &DecoderNames, weights: &Weights, kept: Kept) {
    for (path, projection) in decoder.linear_layers_mut() {
        keep(projection, &format!("{path}.linear"), names, weights, kept);
    }
}

/// The same for the linear layer whose parameters are at `path`.
pub(crate) fn keep(projection: &mut Projection, path: &str, names: &DecoderNames, weights: &Weights, kept: Kept) {
    let Some(place) = names.place(&format!("{path}.weight")) else { return };
    let start = place.part.map_or(0, |part| part.start);
    let [_, outputs] = projection.dims();
    let rows = start..start + outputs;
    let Some(packed) = packed(weights, &place, rows.clone(), kept) else { return };
    let biased = projection.linear.as_ref().is_some_and(|linear| linear.bias.is_some());
    let bias = biased.then(|| names.place(&format!("{path}.bias"))).flatten();
    let bias = bias.map(|place| weights.values(&place.name)[rows.clone()].to_vec());
    projection.packed = Some(PackedLinear::new(packed, kept.inputs).with_bias(bias));
    projection.linear = None;
}

/// Some rows of a matrix, which stands in files as `[out, in]`.
fn packed(weights: &Weights, place: &Place, rows: Range<usize>, kept: Kept) -> Option<PackedWeights> {
    let layer = weights.layer(&place.name);
    if let Some(groups) = layer.and_then(multiplied) {
        return Some(four_bits_of(&groups, rows));
    }
    let is_read = kept.eight_bits && place.layout == Layout::OutIn;
    let whole = is_read.then(|| layer.map_or_else(|| weights.int8_rows(&place.name), PackedLayer::to_rows)).flatten()?;
    (whole.columns() <= MOST_INPUTS).then(|| eight_bits_of(&whole, rows))
}

fn multiplied(layer: &PackedLayer) -> Option<Int4Groups> {
    layer.to_groups().filter(|groups| groups.scheme().group.is_multiple_of(OCTET) && groups.scheme().group <= LARGEST_GROUP)
}
