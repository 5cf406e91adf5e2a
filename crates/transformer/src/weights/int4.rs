//! Linear layers of four bits as `AutoAWQ`, GPTQ and compressed-tensors store them: in the place of `X.weight` stand its codes, scales and zero
//! points as tensors of their own.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use jarre_quant::checkpoint::{PackedLayer, awq, compressed_tensors, gptq};
use rayon::prelude::*;

use super::file::{Kind, Wanted, Weights};
use super::module::{Listed, TensorSource};
use crate::error::{Error, Result};

/// Codes of a word.
const CODES: usize = 8;

/// How the linear layers of a folder lie in four bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Int4Format {
    pub(crate) layout: Int4Layout,
    /// Inputs that share a scale; where it is nothing, all of a layer.
    pub(crate) group: Option<NonZeroUsize>,
}

/// Whose tensors they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Int4Layout {
    /// `AutoAWQ`'s version `gemm`.
    Awq,
    Gptq {
        /// Whether the inputs of a group may lie anywhere, so that `g_idx` has to be there.
        ordered: bool,
        /// Whether zero points are stored as they are, not less 1.
        second: bool,
    },
    /// `pack-quantized` of compressed-tensors.
    Packed { zero_point: bool },
}

/// Outputs and inputs of each layer in four bits, by its name without `.weight`.
type Layers = BTreeMap<String, [usize; 2]>;

impl Weights {
    /// As [`check`](Self::check) for a folder whose linear layers may lie in four bits, which are read on the way: weights that stand there as
    /// they are stay so, whatever `config.json` says of them. A bias of zeros that some tools add to such layers may be there.
    pub(crate) fn check_int4(
        &mut self,
        format: Int4Format,
        expected: &Listed,
        ignored: impl Fn(&str) -> bool,
        folder: &Path,
    ) -> Result<()> {
        format.refuse_ordered(self)?;
        let layers = format.layers(self, expected);
        let mut wanted = Vec::new();
        for (name, shape) in expected {
            match name.strip_suffix(".weight").and_then(|stem| layers.get_key_value(stem)) {
                Some((stem, dims)) => wanted.extend(format.tensors(self, stem, *dims)?),
                None => wanted.push(Wanted::new(name.clone(), shape, Kind::Values)),
            }
        }
        let added = |name: &str| name.strip_suffix(".bias").is_some_and(|stem| layers.contains_key(stem)) && self.is_zero(name);
        self.check_all(&wanted, |name| ignored(name) || added(name))?;
        let read = |(stem, dims): (String, [usize; 2])| match format.read(self, &stem, dims) {
            Ok(layer) => Ok((format!("{stem}.weight"), layer)),
            Err(reason) => Err(Error::malformed(folder, format!("{stem}: {reason}"))),
        };
        self.layers = layers.into_par_iter().map(read).collect::<Result<_>>()?;
        Ok(())
    }
}

impl Int4Format {
    /// What may stand in the place of `X.weight`, as `X.` with each of these.
    fn endings(self) -> &'static [&'static str] {
        match self.layout {
            Int4Layout::Awq => &["qweight", "qzeros", "scales"],
            Int4Layout::Gptq { .. } => &["qweight", "qzeros", "scales", "g_idx"],
            Int4Layout::Packed { .. } => &["weight_packed", "weight_scale", "weight_shape", "weight_zero_point"],
        }
    }

    /// The matrices of `expected` that are not there themselves, while tensors of four bits are.
    fn layers(self, weights: &Weights, expected: &Listed) -> Layers {
        let layer = |(name, shape): &(String, Vec<usize>)| {
            let (stem, [outputs, inputs]) = (name.strip_suffix(".weight")?, shape[..].try_into().ok()?);
            let packed = self.endings().iter().any(|ending| weights.has(&format!("{stem}.{ending}")));
            (packed && !weights.has(name)).then(|| (stem.to_owned(), [outputs, inputs]))
        };
        expected.iter().filter_map(layer).collect()
    }

    fn refuse_ordered(self, weights: &Weights) -> Result<()> {
        let ordered = |name: &&str| name.ends_with(".weight_g_idx");
        match weights.names().find(ordered).filter(|_| matches!(self.layout, Int4Layout::Packed { .. })) {
            Some(name) => Err(Error::Unsupported {
                what: "tensor",
                found: name.to_owned(),
                supported: "pack-quantized layers whose groups are neighbours: no actorder, or actorder weight",
            }),
            None => Ok(()),
        }
    }

    /// The tensors of the layer `stem`.
    fn tensors(self, weights: &Weights, stem: &str, [outputs, inputs]: [usize; 2]) -> Result<Vec<Wanted>> {
        let words = |ending: &str, shape: &[usize]| Wanted::new(format!("{stem}.{ending}"), shape, Kind::Words);
        let floats = |ending: &str, shape: &[usize]| Wanted::new(format!("{stem}.{ending}"), shape, Kind::Floats);
        let by_index = self.has_index(weights, stem);
        let groups = self.groups(stem, inputs, by_index)?;
        let mut tensors = match self.layout {
            Int4Layout::Awq => {
                let columns = whole_words(stem, "outputs", outputs)?;
                vec![words("qweight", &[inputs, columns]), words("qzeros", &[groups, columns]), floats("scales", &[groups, outputs])]
            }
            Int4Layout::Gptq { .. } => {
                let (rows, columns) = (whole_words(stem, "inputs", inputs)?, outputs.div_ceil(CODES));
                vec![words("qweight", &[rows, outputs]), words("qzeros", &[groups, columns]), floats("scales", &[groups, outputs])]
            }
            Int4Layout::Packed { .. } => vec![
                words("weight_packed", &[outputs, inputs.div_ceil(CODES)]),
                floats("weight_scale", &[outputs, groups]),
                Wanted::new(format!("{stem}.weight_shape"), &[2], Kind::Sizes),
            ],
        };
        if by_index {
            tensors.push(words("g_idx", &[inputs]));
        }
        if self.layout == (Int4Layout::Packed { zero_point: true }) {
            tensors.push(words("weight_zero_point", &[outputs.div_ceil(CODES), groups]));
        }
        Ok(tensors)
    }

    /// Whether a tensor says, or has to say, which group each input belongs to.
    fn has_index(self, weights: &Weights, stem: &str) -> bool {
        matches!(self.layout, Int4Layout::Gptq { ordered, .. } if ordered || weights.has(&format!("{stem}.g_idx")))
    }

    /// Groups of a layer, the last of which may be smaller only where an index says who belongs to it.
    fn groups(self, stem: &str, inputs: usize, by_index: bool) -> Result<usize> {
        let group = self.group.map_or(inputs, NonZeroUsize::get);
        if group == 0 || (!by_index && !inputs.is_multiple_of(group)) {
            return Err(misfit(format!("{stem} of {inputs} inputs, which groups of {group} do not divide")));
        }
        Ok(inputs.div_ceil(group))
    }

    /// The layer `stem` from tensors that have the shapes of [`tensors`](Self::tensors).
    fn read(self, weights: &Weights, stem: &str, dims: [usize; 2]) -> Result<PackedLayer, String> {
        let words = |ending: &str| weights.words(&format!("{stem}.{ending}"));
        let floats = |ending: &str| weights.values(&format!("{stem}.{ending}"));
        let layer = match self.layout {
            Int4Layout::Awq => awq(&words("qweight"), &words("qzeros"), &floats("scales"), dims),
            Int4Layout::Gptq { second, .. } => {
                let index = self.has_index(weights, stem).then(|| words("g_idx"));
                gptq(&words("qweight"), &words("qzeros"), &floats("scales"), index.as_deref(), dims, second)
            }
            Int4Layout::Packed { zero_point } => {
                let shape = weights.sizes(&format!("{stem}.weight_shape"));
                if !shape.iter().copied().eq(dims.map(|size| size as u64)) {
                    return Err(format!("`weight_shape` holds {shape:?} instead of {dims:?}"));
                }
                let zeros = zero_point.then(|| words("weight_zero_point"));
                compressed_tensors(&words("weight_packed"), &floats("weight_scale"), zeros.as_deref(), dims)
            }
        };
        layer.map_err(|error| error.to_string())
    }
}

/// Words that hold one code for each of `size` outputs or inputs.
fn whole_words(stem: &str, what: &str, size: usize) -> Result<usize> {
    if size.is_multiple_of(CODES) {
        Ok(size / CODES)
    } else {
        Err(misfit(format!("{stem} of {size} {what} in place of a multiple of {CODES}")))
    }
}

fn misfit(complaint: String) -> Error {
    Error::Weights { missing: Vec::new(), unexpected: Vec::new(), misshapen: vec![complaint] }
}
