//! Layers that lie in a folder in four bits and stay so.

use jarre_kernels::{Inputs, PackedLinear};
use jarre_quant::Int4Groups;
use jarre_quant::checkpoint::PackedLayer;

use super::weights::four_bits_of;
use crate::decoder::{Decoder, DecoderNames, Projection};
use crate::weights::{Naming, TensorSource, Weights};

/// The paths of the modules that `DecoderLayer::projections` gives, in its order.
const MODULES: [&str; 7] = [
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.output",
    "feed_forward.up",
    "feed_forward.down",
    "feed_forward.gate",
];

/// The largest group of the kernels, which multiply groups of whole octets.
const LARGEST_GROUP: usize = 65_536;
const OCTET: usize = 8;

/// Gives the linear layers of `decoder` the codes of `weights`, where these are groups that can be multiplied.
pub(crate) fn keep_codes(decoder: &mut Decoder, names: &DecoderNames, weights: &Weights, inputs: Inputs) {
    for (index, layer) in decoder.layers.iter_mut().enumerate() {
        for (module, projection) in MODULES.iter().zip(layer.projections()) {
            keep(projection, &format!("layers.{index}.{module}.linear"), names, weights, inputs);
        }
    }
    if let Some(head) = &mut decoder.head {
        keep(head, "head.linear", names, weights, inputs);
    }
}

/// The same for the linear layer whose parameters are at `path`.
pub(crate) fn keep(projection: &mut Projection, path: &str, names: &DecoderNames, weights: &Weights, inputs: Inputs) {
    let Some(place) = names.place(&format!("{path}.weight")) else { return };
    let Some(groups) = weights.layer(&place.name).and_then(multiplied) else { return };
    let start = place.part.map_or(0, |part| part.start);
    let [_, outputs] = projection.dims();
    let rows = start..start + outputs;
    let biased = projection.linear.as_ref().is_some_and(|linear| linear.bias.is_some());
    let bias = biased.then(|| names.place(&format!("{path}.bias"))).flatten();
    let bias = bias.map(|place| weights.values(&place.name)[rows.clone()].to_vec());
    projection.packed = Some(PackedLinear::new(four_bits_of(&groups, rows), inputs).with_bias(bias));
    projection.linear = None;
}

fn multiplied(layer: &PackedLayer) -> Option<Int4Groups> {
    layer.to_groups().filter(|groups| groups.scheme().group.is_multiple_of(OCTET) && groups.scheme().group <= LARGEST_GROUP)
}
