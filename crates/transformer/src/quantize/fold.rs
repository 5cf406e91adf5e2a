//! Scales of inputs, moved into whatever writes these inputs: the model computes the same, and other numbers are rounded.

use burn::module::Param;
use burn::tensor::Tensor;
use jarre_quant::Calibration;

use super::capture::{Captured, LayerInputs};
use super::weights::{beside, rows_of};
use crate::decoder::{Decoder, DecoderLayer, Norm, NormPlacement, Projection};
use crate::error::{Error, Result};

/// Folds the scales that `choose` gives for weights `[outputs, inputs]` and their inputs into every place that can take them: the norms before
/// attention and feed-forward network, the values that the output projection mixes (where no head shares them), and the half of a gated network
/// that is multiplied. Where any layer that would take part is packed already, nothing moves.
pub(super) fn all(
    decoder: &mut Decoder,
    captured: &Captured,
    choose: impl Fn(&[f32], &Calibration) -> jarre_quant::Result<Vec<f32>>,
) -> Result<()> {
    let config = decoder.config();
    let (normed_before, own_values) = (config.norm_placement != NormPlacement::Post, config.kv_heads() == config.n_heads);
    for (index, (layer, inputs)) in decoder.layers.iter_mut().zip(&captured.layers).enumerate() {
        let failed = |source| Error::Quantize { layer: format!("layers.{index}"), source };
        if normed_before {
            norms(layer, inputs, &choose).map_err(failed)?;
        }
        if own_values && are_float(&[&layer.attention.output, &layer.attention.value]) {
            let scales = choose(&stacked(&[&layer.attention.output]), &inputs.output).map_err(failed)?;
            scale_inputs(&mut layer.attention.output, &scales);
            divide_outputs(&mut layer.attention.value, &scales);
        }
        if layer.feed_forward.gate.is_some() && are_float(&[&layer.feed_forward.down, &layer.feed_forward.up]) {
            let scales = choose(&stacked(&[&layer.feed_forward.down]), &inputs.down).map_err(failed)?;
            scale_inputs(&mut layer.feed_forward.down, &scales);
            divide_outputs(&mut layer.feed_forward.up, &scales);
        }
    }
    Ok(())
}

fn norms(
    layer: &mut DecoderLayer,
    inputs: &LayerInputs,
    choose: &impl Fn(&[f32], &Calibration) -> jarre_quant::Result<Vec<f32>>,
) -> jarre_quant::Result<()> {
    let attention = &mut layer.attention;
    let mut readers = vec![&mut attention.query, &mut attention.key, &mut attention.value];
    norm(&mut layer.attention_norm, &mut readers, &inputs.attention, choose)?;
    let network = &mut layer.feed_forward;
    let mut readers: Vec<&mut Projection> = std::iter::once(&mut network.up).chain(&mut network.gate).collect();
    norm(&mut layer.feed_forward_norm, &mut readers, &inputs.feed_forward, choose)
}

/// From the layers that read what a norm gives into the norm.
fn norm(
    norm: &mut Norm,
    readers: &mut [&mut Projection],
    inputs: &Calibration,
    choose: &impl Fn(&[f32], &Calibration) -> jarre_quant::Result<Vec<f32>>,
) -> jarre_quant::Result<()> {
    let seen: Vec<&Projection> = readers.iter().map(|reader| &**reader).collect();
    if are_float(&seen) {
        let scales = choose(&stacked(&seen), inputs)?;
        divide_norm(norm, &scales);
        for reader in readers {
            scale_inputs(reader, &scales);
        }
    }
    Ok(())
}

fn are_float(projections: &[&Projection]) -> bool {
    projections.iter().all(|projection| projection.linear.is_some())
}

/// Weights of layers that read the same inputs, below each other.
fn stacked(projections: &[&Projection]) -> Vec<f32> {
    projections.iter().filter_map(|projection| projection.linear.as_ref()).flat_map(rows_of).collect()
}

fn scale_inputs(projection: &mut Projection, scales: &[f32]) {
    edit_weight(projection, |weight| {
        let scales = beside(scales, &weight);
        weight * scales.unsqueeze_dim(1)
    });
}

fn divide_outputs(projection: &mut Projection, scales: &[f32]) {
    edit_weight(projection, |weight| {
        let scales = beside(scales, &weight);
        weight / scales.unsqueeze()
    });
    if let Some(linear) = &mut projection.linear {
        linear.bias = linear.bias.take().map(|bias| divided(bias, scales));
    }
}

fn divide_norm(norm: &mut Norm, scales: &[f32]) {
    norm.weight = divided(norm.weight.clone(), scales);
    norm.bias = norm.bias.take().map(|bias| divided(bias, scales));
}

fn edit_weight(projection: &mut Projection, edit: impl FnOnce(Tensor<2>) -> Tensor<2>) {
    if let Some(linear) = &mut projection.linear {
        linear.weight = linear.weight.clone().map(edit);
    }
}

fn divided(param: Param<Tensor<1>>, scales: &[f32]) -> Param<Tensor<1>> {
    param.map(|x| {
        let scales = beside(scales, &x);
        x / scales
    })
}
