//! Decoders with packed weights: eight, four or sixteen bits, rounded to the nearest or with calibration.
//!
//! A [`Quantizer`] replaces every linear layer of a decoder, the logits' included, by one whose weights stay packed. The embedding table,
//! norms and biases stay f32. Four bits leave the logits' weights at eight, as others do, and every layer whose inputs a group does not
//! divide. [`CausalModel::save_pretrained`](crate::CausalModel::save_pretrained) writes such a model, and
//! [`CausalModel::from_packed_folder`](crate::CausalModel::from_packed_folder) reads it.
//!
//! ```
//! use jarre_transformer::quantize::{Quantizer, Scheme};
//! use jarre_transformer::{CausalModel, DecoderConfig, Device};
//!
//! # fn main() -> Result<(), jarre_transformer::Error> {
//! let decoder = DecoderConfig::new(100, 64, 4, 2, 128).init(&Device::flex());
//! let model = CausalModel::new(decoder, None, vec![]).quantized(&Quantizer::new(Scheme::Int8), &[])?;
//! assert!(model.decoder().is_packed());
//! # Ok(())
//! # }
//! ```

mod capture;
mod fold;
mod kept;
mod observer;
#[cfg(test)]
mod tests;
mod weights;

use burn::nn::Linear;
use jarre_kernels::{Bf16Weights, PackedLinear, PackedWeights, host_values};
use jarre_quant::{Awq, Calibration, Gptq, Int4Groups, Int8Rows, SmoothQuant};

use self::capture::Captured;
pub use jarre_kernels::Inputs;
pub use jarre_quant::Int4Scheme;

pub(crate) use self::kept::{Kept, keep, keep_codes};
pub(crate) use self::observer::Observer;
use self::weights::rows_of;
use crate::decoder::{Decoder, DecoderLayer, Projection};
use crate::error::{Error, Result};

/// What weights become.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Scheme {
    /// Eight bits, one scale for each output.
    Int8,
    /// Four bits in groups, which have to be multiples of 8.
    Int4(Int4Scheme),
    /// Bfloat16, inputs of products too.
    Bf16,
}

/// How they are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Method {
    /// Each to the nearest.
    #[default]
    RoundToNearest,
    /// Outliers of inputs are moved into the weights first ([Xiao et al. 2022](https://arxiv.org/abs/2211.10438)); for eight bits.
    SmoothQuant(SmoothQuant),
    /// Inputs that are large in the mean get finer weights, and the extremes of a group are clipped where its inputs lose less by that
    /// ([Lin et al. 2023](https://arxiv.org/abs/2306.00978)); for four bits.
    Awq,
    /// Every column makes up for the errors of those before it ([Frantar et al. 2022](https://arxiv.org/abs/2210.17323)); for four bits.
    Gptq {
        /// Whether columns of large inputs come first.
        act_order: bool,
    },
}

/// Packs the linear layers of decoders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantizer {
    scheme: Scheme,
    method: Method,
    inputs: Inputs,
}

impl Quantizer {
    /// Rounds to the nearest, and rounds inputs to eight bits while the model runs.
    pub fn new(scheme: Scheme) -> Self {
        Self { scheme, method: Method::RoundToNearest, inputs: Inputs::Int8 }
    }

    /// How weights are chosen.
    pub fn with_method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// In which numbers inputs are multiplied.
    pub fn with_inputs(mut self, inputs: Inputs) -> Self {
        self.inputs = inputs;
        self
    }

    /// Whether [`quantize`](Self::quantize) looks at texts.
    pub fn calibrates(&self) -> bool {
        self.method != Method::RoundToNearest
    }

    /// `decoder` with packed weights. Layers that are packed already stay as they are.
    ///
    /// Methods that calibrate run the float model over `calibration`, token ids of texts of the kind that the model will read (a hundred
    /// of a few hundred tokens are usual), and keep `inputs^2` numbers for each layer while they work.
    ///
    /// # Errors
    /// - [`Error::Unsupported`] for a method that is not for the scheme, or an adapter that is not merged;
    /// - [`Error::TooFewTokens`] for a method that calibrates and no text, [`Error::UnknownToken`] and [`Error::ContextLength`] for texts that
    ///   the model cannot read;
    /// - [`Error::InvalidSetting`] for a group that is not a multiple of 8;
    /// - [`Error::Quantize`] for weights that are not finite.
    pub fn quantize(&self, mut decoder: Decoder, calibration: &[Vec<u32>]) -> Result<Decoder> {
        self.check(&decoder)?;
        let mut captured = if self.calibrates() { Some(Captured::of(&mut decoder, calibration)?) } else { None };
        if let Some(seen) = &captured
            && self.fold(&mut decoder, seen)?
        {
            captured = Some(Captured::of(&mut decoder, calibration)?);
        }
        for (index, layer) in decoder.layers.iter_mut().enumerate() {
            self.pack_layer(index, layer, captured.as_ref().map(|captured| &captured.layers[index]))?;
        }
        self.pack_head(&mut decoder)?;
        Ok(decoder)
    }

    /// What the linear layers of packed files multiply.
    pub(crate) fn inputs(&self) -> Inputs {
        self.inputs
    }

    /// Whether layers that lie in eight bits have no more than they are to have.
    pub(crate) fn keeps_eight_bits(&self) -> bool {
        !matches!(self.scheme, Scheme::Int4(_))
    }

    /// Refuses decoders that it cannot pack, and methods that have to see inputs.
    pub(crate) fn check_uncalibrated(&self, decoder: &Decoder) -> Result<()> {
        if self.calibrates() {
            let found = format!("{:?}", self.method);
            return Err(Error::Unsupported { what: "packing while loading by", found, supported: "rounding to the nearest" });
        }
        self.check(decoder)
    }

    /// Packs the linear layers of layer `index`, each to the nearest.
    pub(crate) fn round_layer(&self, index: usize, layer: &mut DecoderLayer) -> Result<()> {
        self.pack_layer(index, layer, None)
    }

    /// How many neighbouring inputs of a layer of `columns` share a scale, where that is not all of them.
    pub(crate) fn group(&self, columns: usize) -> usize {
        match self.scheme {
            Scheme::Int4(scheme) if columns.is_multiple_of(scheme.group) => scheme.group,
            _ => 1,
        }
    }

    /// Packs one linear layer, to the nearest, and calls it `name` where that fails.
    pub(crate) fn round(&self, name: &str, projection: &mut Projection) -> Result<()> {
        self.pack(projection, None).map_err(|source| Error::Quantize { layer: name.to_owned(), source })
    }

    fn pack_layer(&self, index: usize, layer: &mut DecoderLayer, inputs: Option<&capture::LayerInputs>) -> Result<()> {
        for (name, projection, inputs) in capture::named(layer, inputs) {
            self.pack(projection, inputs).map_err(|source| Error::Quantize { layer: format!("layers.{index}.{name}"), source })?;
        }
        Ok(())
    }

    fn check(&self, decoder: &Decoder) -> Result<()> {
        let fits = match self.method {
            Method::RoundToNearest => true,
            Method::SmoothQuant(_) => self.scheme == Scheme::Int8,
            Method::Awq | Method::Gptq { .. } => matches!(self.scheme, Scheme::Int4(_)),
        };
        if !fits {
            let found = format!("{:?} with {:?}", self.method, self.scheme);
            return Err(Error::Unsupported {
                what: "quantisation",
                found,
                supported: "SmoothQuant with eight bits, AWQ and GPTQ with four",
            });
        }
        if let Scheme::Int4(Int4Scheme { group, .. }) = self.scheme
            && (group == 0 || !group.is_multiple_of(8))
        {
            return Err(Error::setting("the group of four bits", group, "a multiple of 8, for example 32, 64 or 128"));
        }
        if decoder.has_unmerged_lora() {
            let found = "adapters beside weights".to_owned();
            return Err(Error::Unsupported { what: "quantisation with", found, supported: "merged adapters: merge_lora" });
        }
        Ok(())
    }

    /// Moves scales between layers where the method does so, and gives back whether it did: what the decoder computes stays the same but for
    /// rounding, the inputs of its layers do not.
    fn fold(&self, decoder: &mut Decoder, captured: &Captured) -> Result<bool> {
        match (self.method, self.scheme) {
            (Method::SmoothQuant(method), _) => fold::all(decoder, captured, |weights, inputs| method.input_scales(weights, inputs))?,
            (Method::Awq, Scheme::Int4(scheme)) => fold::all(decoder, captured, |weights, inputs| {
                if !inputs.columns().is_multiple_of(scheme.group) {
                    return Ok(vec![1.0; inputs.columns()]);
                }
                Awq::new(scheme).quantize(weights, inputs).map(|scaled| scaled.input_scales)
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn pack(&self, projection: &mut Projection, inputs: Option<&Calibration>) -> jarre_quant::Result<()> {
        let Some(linear) = &projection.linear else { return Ok(()) };
        let [d_input, _] = linear.weight.dims();
        let weights = self.weights(&rows_of(linear), d_input, inputs)?;
        projection.packed = Some(PackedLinear::new(weights, self.inputs).with_bias(bias_of(linear)));
        projection.linear = None;
        Ok(())
    }

    /// `weights` `[outputs, columns]`, packed.
    fn weights(&self, weights: &[f32], columns: usize, inputs: Option<&Calibration>) -> jarre_quant::Result<PackedWeights> {
        let rows = weights.len() / columns;
        match (self.scheme, self.method, inputs) {
            (Scheme::Bf16, ..) => Ok(Bf16Weights::new(weights, [rows, columns]).into()),
            (Scheme::Int4(scheme), Method::Gptq { act_order }, Some(inputs)) if columns.is_multiple_of(scheme.group) => {
                Gptq::new(scheme).with_act_order(act_order).quantize(weights, inputs).map(|groups| weights::four_bits(&groups))
            }
            (Scheme::Int4(scheme), Method::Awq, Some(inputs)) if columns.is_multiple_of(scheme.group) => {
                Int4Groups::round_clipped(weights, columns, scheme, &inputs.mean_square()).map(|groups| weights::four_bits(&groups))
            }
            (Scheme::Int4(scheme), ..) if columns.is_multiple_of(scheme.group) => {
                Int4Groups::round(weights, columns, scheme).map(|groups| weights::four_bits(&groups))
            }
            _ => eight_bits(weights, columns),
        }
    }

    /// The logits' weights, in sixteen bits or eight.
    pub(crate) fn pack_head(&self, decoder: &mut Decoder) -> Result<()> {
        if let Some(head) = &mut decoder.head {
            return self.round_head(head);
        }
        let rows = host_values(decoder.embedding.weight.val());
        decoder.head = Some(self.head(&rows, decoder.config().d_model)?);
        Ok(())
    }

    /// Packs the logits' weights where they are a layer of their own, of all tokens or of some.
    pub(crate) fn round_head(&self, head: &mut Projection) -> Result<()> {
        if let Some(linear) = &head.linear {
            let [columns, _] = linear.weight.dims();
            *head = self.head(&rows_of(linear), columns)?;
        }
        Ok(())
    }

    /// The logits of some tokens, whose weights are `rows` of `columns` values.
    pub(crate) fn head(&self, rows: &[f32], columns: usize) -> Result<Projection> {
        let weights = match self.scheme {
            Scheme::Bf16 => Ok(Bf16Weights::new(rows, [rows.len() / columns, columns]).into()),
            Scheme::Int8 | Scheme::Int4(_) => eight_bits(rows, columns),
        };
        let weights = weights.map_err(|source| Error::Quantize { layer: "the logits' weights".to_owned(), source })?;
        Ok(Projection::packed(PackedLinear::new(weights, self.inputs)))
    }
}

fn eight_bits(weights: &[f32], columns: usize) -> jarre_quant::Result<PackedWeights> {
    let rounded = Int8Rows::round(weights, columns)?;
    Ok(weights::eight_bits_of(&rounded, 0..rounded.rows()))
}

fn bias_of(linear: &Linear) -> Option<Vec<f32>> {
    linear.bias.as_ref().map(|bias| host_values(bias.val()))
}
