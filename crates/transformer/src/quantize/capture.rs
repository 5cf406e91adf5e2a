//! What the inputs of a decoder's layers are like on texts.

use jarre_quant::Calibration;

use super::observer::Observer;
use crate::attention::Sequences;
use crate::decoder::{Decoder, DecoderLayer, Projection};
use crate::error::{Error, Result};

/// The inputs of every layer.
pub(super) struct Captured {
    pub(super) layers: Vec<LayerInputs>,
}

/// The inputs of one layer's projections; those of query, key and value are the same, and those of gate and up.
pub(super) struct LayerInputs {
    pub(super) attention: Calibration,
    pub(super) output: Calibration,
    pub(super) feed_forward: Calibration,
    pub(super) down: Calibration,
}

impl Captured {
    /// Runs the decoder over texts.
    pub(super) fn of(decoder: &mut Decoder, texts: &[Vec<u32>]) -> Result<Self> {
        readable(decoder, texts)?;
        let observers: Vec<[Observer; 4]> = decoder.layers.iter_mut().map(observe).collect();
        for text in texts {
            decoder.hidden(&Sequences::right_padded(&[text], 0));
        }
        for layer in &mut decoder.layers {
            for projection in watched(layer) {
                projection.observer = None;
            }
        }
        let layers = observers.into_iter().enumerate().map(|(index, observers)| {
            let failed = |source| Error::Quantize { layer: format!("layers.{index}"), source };
            let [attention, output, feed_forward, down] = observers.map(Observer::into_calibration);
            let [attention, output] = [attention.map_err(failed)?, output.map_err(failed)?];
            Ok(LayerInputs { attention, output, feed_forward: feed_forward.map_err(failed)?, down: down.map_err(failed)? })
        });
        Ok(Self { layers: layers.collect::<Result<_>>()? })
    }
}

/// Refuses texts that the decoder cannot read.
fn readable(decoder: &Decoder, texts: &[Vec<u32>]) -> Result<()> {
    if texts.is_empty() || texts.iter().any(Vec::is_empty) {
        return Err(Error::TooFewTokens { what: "a text to calibrate on", found: 0, least: 1 });
    }
    let (vocab_size, max) = (decoder.config().vocab_size, decoder.config().max_positions);
    if let Some(&id) = texts.iter().flatten().find(|&&id| id as usize >= vocab_size) {
        return Err(Error::UnknownToken { id, vocab_size });
    }
    match texts.iter().map(Vec::len).find(|&tokens| tokens > max) {
        Some(tokens) => Err(Error::ContextLength { tokens, max }),
        None => Ok(()),
    }
}

fn observe(layer: &mut DecoderLayer) -> [Observer; 4] {
    watched(layer).map(|projection| {
        let observer = Observer::new(projection.dims()[0]);
        projection.observer = Some(observer.clone());
        observer
    })
}

/// One projection for each kind of input.
fn watched(layer: &mut DecoderLayer) -> [&mut Projection; 4] {
    let (attention, network) = (&mut layer.attention, &mut layer.feed_forward);
    [&mut attention.query, &mut attention.output, &mut network.up, &mut network.down]
}

/// The projections of a layer with their names in Llama's files and their inputs.
pub(super) fn named<'a>(
    layer: &'a mut DecoderLayer,
    inputs: Option<&'a LayerInputs>,
) -> impl Iterator<Item = (&'static str, &'a mut Projection, Option<&'a Calibration>)> {
    let (attention, network) = (&mut layer.attention, &mut layer.feed_forward);
    let [read, mixed, fed, hidden] =
        [inputs.map(|x| &x.attention), inputs.map(|x| &x.output), inputs.map(|x| &x.feed_forward), inputs.map(|x| &x.down)];
    let own = [
        ("q_proj", &mut attention.query, read),
        ("k_proj", &mut attention.key, read),
        ("v_proj", &mut attention.value, read),
        ("o_proj", &mut attention.output, mixed),
        ("up_proj", &mut network.up, fed),
        ("down_proj", &mut network.down, hidden),
    ];
    own.into_iter().chain(network.gate.as_mut().map(|gate| ("gate_proj", gate, fed)))
}
