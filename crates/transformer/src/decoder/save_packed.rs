//! The packed layers of a decoder on their way into a folder.

use std::borrow::Cow;
use std::collections::BTreeMap;

use burn::module::Param;
use burn::nn::LinearConfig;
use burn::tensor::{Device, Tensor, TensorData};
use jarre_kernels::{PackedLinear, PackedWeights, host_values};
use jarre_quant::{Grid, Int4Groups, Int4Scheme, Int8Rows};
use serde_json::Value;

use super::model::Decoder;
use super::names::DecoderNames;
use super::projection::Projection;
use crate::error::{Error, Result};
use crate::weights::{Layout, NamedTensor, Naming, PackedRows, Packing, Stored, quantization_config};

/// The decoder with its layers of bfloat16 as floats, which files hold without loss, and without logits' weights that are the embedding's.
pub(super) fn widened(decoder: &Decoder) -> Cow<'_, Decoder> {
    let is_bf16 = |projection: &Projection| projection.packed.as_ref().is_some_and(holds_bf16);
    if !decoder.linear_layers().any(|(_, projection)| is_bf16(projection)) {
        return Cow::Borrowed(decoder);
    }
    let device = decoder.device();
    let mut widened = decoder.clone();
    if decoder.config().tied && decoder.head.as_ref().is_some_and(|head| is_bf16(head) && is_embedding(decoder, head)) {
        widened.head = None;
    }
    for (_, projection) in widened.linear_layers_mut() {
        if let Some(packed) = projection.packed.take_if(|packed| holds_bf16(packed)) {
            projection.linear = Some(linear(&packed, &device));
        }
    }
    Cow::Owned(widened)
}

fn holds_bf16(packed: &PackedLinear) -> bool {
    matches!(packed.weights(), PackedWeights::Bf16(_))
}

fn is_embedding(decoder: &Decoder, head: &Projection) -> bool {
    head.packed.as_ref().is_some_and(|packed| packed.weights().dequantize() == host_values(decoder.embedding.weight.val()))
}

fn linear(packed: &PackedLinear, device: &Device) -> burn::nn::Linear {
    let [inputs, outputs] = packed.dims();
    let mut linear = LinearConfig::new(inputs, outputs).with_bias(false).init(device);
    let rows = Tensor::<2>::from_data(TensorData::new(packed.weights().dequantize(), [outputs, inputs]), device);
    linear.weight = Param::from_tensor(rows.transpose());
    linear.bias = packed.bias().map(|bias| Param::from_tensor(Tensor::from_data(bias, device)));
    linear
}

/// The packed modules of a decoder as a file has them, and the names of its other linear ones.
pub(super) struct PackedModules {
    packed: Vec<PackedModule>,
    floats: Vec<String>,
}

struct PackedModule {
    name: String,
    rows: PackedRows,
    bias: Option<Vec<f32>>,
    rounds_inputs: bool,
}

/// What becomes one module of a file, by where the outputs begin there.
#[derive(Default)]
struct Parts<'a> {
    packed: BTreeMap<usize, &'a PackedLinear>,
    floats: usize,
}

impl PackedModules {
    /// # Errors
    /// Where layers that share a tensor are packed in several ways, or files hold weights the other way round.
    pub(super) fn of(decoder: &Decoder, names: &DecoderNames) -> Result<Self> {
        let mut modules: BTreeMap<String, Parts<'_>> = BTreeMap::new();
        for (path, projection) in decoder.linear_layers() {
            let Some(place) = names.place(&format!("{path}.linear.weight")) else { continue };
            let name = place.name.strip_suffix(".weight").unwrap_or(&place.name);
            let parts = modules.entry(name.to_owned()).or_default();
            match &projection.packed {
                Some(_) if place.layout != Layout::OutIn => {
                    return Err(refuse(name, "rows of inputs", "families beside gpt2, or bfloat16"));
                }
                Some(packed) => drop(parts.packed.insert(place.part.map_or(0, |part| part.start), packed)),
                None => parts.floats += 1,
            }
        }
        let mut all = Self { packed: Vec::new(), floats: Vec::new() };
        for (name, parts) in modules {
            match (parts.packed.is_empty(), parts.floats) {
                (true, _) => all.floats.push(name),
                (false, 0) => all.packed.push(PackedModule::joined(&name, parts.packed.into_values())?),
                (false, _) => return Err(refuse(&name, "packed layers and floats", "one scheme for all of its layers")),
            }
        }
        Ok(all)
    }

    /// What `config.json` says of them; nothing where none is packed.
    pub(super) fn quantization_config(&self) -> Option<Value> {
        let packing = |module: &PackedModule| (module.name.clone(), module.rows.packing(module.rounds_inputs));
        let packings: Vec<(String, Packing)> = self.packed.iter().map(packing).collect();
        (!packings.is_empty()).then(|| quantization_config(&packings, &self.floats))
    }

    /// Their biases.
    pub(super) fn biases(&self) -> impl Iterator<Item = (String, NamedTensor)> {
        self.packed.iter().filter_map(|module| {
            let values = module.bias.clone()?;
            Some((format!("{}.bias", module.name), NamedTensor { shape: vec![values.len()], values }))
        })
    }

    /// Their weights, those of a module in the order of outputs that `order` gives for its name and their number.
    pub(super) fn into_stored(self, order: impl Fn(&str, usize) -> Option<Vec<usize>>) -> Result<Vec<(String, Stored)>> {
        let stored = |PackedModule { name, rows, .. }: PackedModule| {
            let failed = |source| Error::Quantize { layer: name.clone(), source };
            let rows = match order(&format!("{name}.weight"), rows.outputs()) {
                Some(order) => rows.reordered(&order).map_err(failed)?,
                None => rows,
            };
            rows.into_stored(&name).map_err(failed)
        };
        let all: Vec<Vec<(String, Stored)>> = self.packed.into_iter().map(stored).collect::<Result<_>>()?;
        Ok(all.into_iter().flatten().collect())
    }
}

impl PackedModule {
    /// One module of layers, in the order of their outputs.
    fn joined<'a>(name: &str, layers: impl Iterator<Item = &'a PackedLinear>) -> Result<Self> {
        let mut module: Option<Self> = None;
        for layer in layers {
            let rows = rows_of(name, layer.weights())?;
            let (bias, rounds_inputs) = (layer.bias().map(<[f32]>::to_vec), layer.multiplies_integers());
            let joined = match module {
                None => Some(Self { name: name.to_owned(), rows, bias, rounds_inputs }),
                Some(before) => before.and(rows, bias, rounds_inputs),
            };
            module = Some(joined.ok_or_else(|| refuse(name, "layers packed in several ways", "one scheme for all of its layers"))?);
        }
        module.ok_or_else(|| refuse(name, "no layer", "at least one"))
    }

    fn and(self, below: PackedRows, below_bias: Option<Vec<f32>>, rounds_inputs: bool) -> Option<Self> {
        let bias = match (self.bias, below_bias) {
            (Some(bias), Some(below)) => Some([bias, below].concat()),
            (None, None) => None,
            _ => return None,
        };
        let rows = self.rows.joined(below).filter(|_| self.rounds_inputs == rounds_inputs)?;
        Some(Self { rows, bias, ..self })
    }
}

fn rows_of(name: &str, weights: &PackedWeights) -> Result<PackedRows> {
    let [_, columns] = weights.shape();
    let rows = match weights {
        PackedWeights::Int4(weights) => {
            let (codes, scales, zeros) = weights.parts();
            let scheme = Int4Scheme { group: weights.group(), zero_point: zeros.is_some() };
            let zeros = zeros.unwrap_or_else(|| vec![8; scales.len()]);
            let grid = scales.into_iter().zip(zeros).map(|(scale, zero)| Grid { scale, zero }).collect();
            Int4Groups::from_parts(codes, grid, columns, scheme).map(PackedRows::Int4)
        }
        PackedWeights::Int8(weights) => {
            let (values, scales) = weights.parts();
            Int8Rows::from_parts(values, scales, columns).map(PackedRows::Int8)
        }
        _ => return Err(refuse(name, "weights of neither eight nor four bits", "int8, int4, bfloat16")),
    };
    rows.map_err(|source| Error::Quantize { layer: name.to_owned(), source })
}

fn refuse(name: &str, found: &str, supported: &'static str) -> Error {
    Error::Unsupported { what: "saving a module with", found: format!("{found}: {name}"), supported }
}
