//! Linear layers of four and eight bits as `AutoAWQ`, GPTQ and compressed-tensors store them: in the place of `X.weight` stand its codes, scales and
//! zero points as tensors of their own.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use jarre_quant::checkpoint::{Bits, GptqFormat, PackedLayer, awq, compressed_tensors, gptq};
use rayon::prelude::*;

use super::file::{Kind, Wanted, Weights};
use super::module::{Listed, TensorSource};
use crate::error::{Error, Result};

/// How the linear layers of a folder lie in groups of inputs that share a scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupFormat {
    pub(crate) layout: GroupLayout,
    pub(crate) bits: Bits,
    /// Inputs that share a scale; where it is nothing, all of a layer.
    pub(crate) group: Option<NonZeroUsize>,
}

/// Whose tensors they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupLayout {
    /// `AutoAWQ`'s version `gemm`.
    Awq,
    Gptq {
        /// Whether the inputs of a group may lie anywhere, so that `g_idx` has to be there.
        ordered: bool,
        /// Whether zero points are stored as they are, not less 1.
        second: bool,
    },
    /// `pack-quantized` of compressed-tensors.
    Packed {
        zero_point: bool,
        /// Whether the inputs of a group may lie anywhere, so that `weight_g_idx` has to be there.
        ordered: bool,
    },
}

/// Outputs and inputs of each such layer, by its name without `.weight`.
type Layers = BTreeMap<String, [usize; 2]>;

impl Weights {
    /// As [`check`](Self::check) for a folder whose linear layers may lie in groups, which are read on the way: weights that stand there as
    /// they are stay so, whatever `config.json` says of them. A bias of zeros that some tools add to such layers may be there.
    pub(crate) fn check_groups(
        &mut self,
        format: GroupFormat,
        expected: &Listed,
        ignored: impl Fn(&str) -> bool,
        folder: &Path,
    ) -> Result<()> {
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

impl GroupFormat {
    /// What may stand in the place of `X.weight`, as `X.` with each of these.
    fn endings(self) -> &'static [&'static str] {
        match self.layout {
            GroupLayout::Awq => &["qweight", "qzeros", "scales"],
            GroupLayout::Gptq { .. } => &["qweight", "qzeros", "scales", "g_idx"],
            GroupLayout::Packed { .. } => &["weight_packed", "weight_scale", "weight_shape", "weight_zero_point", "weight_g_idx"],
        }
    }

    /// The matrices of `expected` that are not there themselves, while tensors of groups are.
    fn layers(self, weights: &Weights, expected: &Listed) -> Layers {
        let layer = |(name, shape): &(String, Vec<usize>)| {
            let (stem, [outputs, inputs]) = (name.strip_suffix(".weight")?, shape[..].try_into().ok()?);
            let packed = self.endings().iter().any(|ending| weights.has(&format!("{stem}.{ending}")));
            (packed && !weights.has(name)).then(|| (stem.to_owned(), [outputs, inputs]))
        };
        expected.iter().filter_map(layer).collect()
    }

    /// The tensors of the layer `stem`.
    fn tensors(self, weights: &Weights, stem: &str, [outputs, inputs]: [usize; 2]) -> Result<Vec<Wanted>> {
        let words = |ending: &str, shape: &[usize]| Wanted::new(format!("{stem}.{ending}"), shape, Kind::Words);
        let floats = |ending: &str, shape: &[usize]| Wanted::new(format!("{stem}.{ending}"), shape, Kind::Floats);
        let index = self.index(weights, stem);
        let (groups, per_word) = (self.groups(stem, inputs, index.is_some())?, self.bits.per_word());
        let mut tensors = match self.layout {
            GroupLayout::Awq => {
                let columns = self.whole_words(stem, "outputs", outputs)?;
                vec![words("qweight", &[inputs, columns]), words("qzeros", &[groups, columns]), floats("scales", &[groups, outputs])]
            }
            GroupLayout::Gptq { .. } => {
                let (rows, columns) = (self.whole_words(stem, "inputs", inputs)?, outputs.div_ceil(per_word));
                vec![words("qweight", &[rows, outputs]), words("qzeros", &[groups, columns]), floats("scales", &[groups, outputs])]
            }
            GroupLayout::Packed { .. } => vec![
                words("weight_packed", &[outputs, inputs.div_ceil(per_word)]),
                floats("weight_scale", &[outputs, groups]),
                Wanted::new(format!("{stem}.weight_shape"), &[2], Kind::Sizes),
            ],
        };
        if let Some(index) = index {
            tensors.push(words(index, &[inputs]));
        }
        if matches!(self.layout, GroupLayout::Packed { zero_point: true, .. }) {
            tensors.push(words("weight_zero_point", &[outputs.div_ceil(per_word), groups]));
        }
        Ok(tensors)
    }

    /// The tensor that says, or has to say, which group each input belongs to.
    fn index(self, weights: &Weights, stem: &str) -> Option<&'static str> {
        let (name, ordered) = match self.layout {
            GroupLayout::Awq => return None,
            GroupLayout::Gptq { ordered, .. } => ("g_idx", ordered),
            GroupLayout::Packed { ordered, .. } => ("weight_g_idx", ordered),
        };
        (ordered || weights.has(&format!("{stem}.{name}"))).then_some(name)
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
        let index = self.index(weights, stem).map(words);
        let layer = match self.layout {
            GroupLayout::Awq => awq(&words("qweight"), &words("qzeros"), &floats("scales"), dims),
            GroupLayout::Gptq { second, .. } => {
                gptq(&words("qweight"), &words("qzeros"), &floats("scales"), index.as_deref(), dims, GptqFormat { bits: self.bits, second })
            }
            GroupLayout::Packed { zero_point, .. } => {
                let shape = weights.sizes(&format!("{stem}.weight_shape"));
                if !shape.iter().copied().eq(dims.map(|size| size as u64)) {
                    return Err(format!("`weight_shape` holds {shape:?} instead of {dims:?}"));
                }
                let zeros = zero_point.then(|| words("weight_zero_point"));
                compressed_tensors(&words("weight_packed"), &floats("weight_scale"), zeros.as_deref(), index.as_deref(), dims, self.bits)
            }
        };
        layer.map_err(|error| error.to_string())
    }

    /// Words that hold one code for each of `size` outputs or inputs.
    fn whole_words(self, stem: &str, what: &str, size: usize) -> Result<usize> {
        let per_word = self.bits.per_word();
        if size.is_multiple_of(per_word) {
            Ok(size / per_word)
        } else {
            Err(misfit(format!("{stem} of {size} {what} in place of a multiple of {per_word}")))
        }
    }
}

fn misfit(complaint: String) -> Error {
    Error::Weights { missing: Vec::new(), unexpected: Vec::new(), misshapen: vec![complaint] }
}
