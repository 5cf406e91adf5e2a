use burn::tensor::Device;

use super::model::Decoder;
use super::names::DecoderNames;
use crate::error::Result;
use crate::quantize::Quantizer;
use crate::weights::{TensorSource, fill, fill_at};

/// A decoder with its parameters from `source`. Where a quantizer is given, each layer is packed before the next is read, so that one layer
/// at a time is in f32, and the embedding table.
///
/// # Errors
/// Where the quantizer has to see inputs first, or does not suit the decoder.
pub(crate) fn load(
    mut decoder: Decoder,
    names: &DecoderNames,
    source: &dyn TensorSource,
    quantizer: Option<&Quantizer>,
    device: &Device,
) -> Result<Decoder> {
    let Some(quantizer) = quantizer else { return Ok(fill(decoder, names, source, device)) };
    quantizer.check_uncalibrated(&decoder)?;
    let layers = std::mem::take(&mut decoder.layers);
    let mut decoder = fill(decoder, names, source, device);
    quantizer.pack_head(&mut decoder)?;
    for (index, layer) in layers.into_iter().enumerate() {
        let mut layer = fill_at(layer, &format!("layers.{index}"), names, source, device);
        quantizer.round_layer(index, &mut layer)?;
        decoder.layers.push(layer);
    }
    Ok(decoder)
}
