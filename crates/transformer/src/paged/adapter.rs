use std::path::Path;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use jarre_kernels::host_values;

use super::batch::PagedBatch;
use crate::decoder::{Decoder, DecoderConfig};
use crate::error::{Error, Result};
use crate::lora::{LoraPair, TARGETS};

/// A low-rank adapter ([Hu et al. 2021](https://arxiv.org/abs/2106.09685)) of a [`PagedDecoder`](super::PagedDecoder): it is added to the rows
/// of those sequences that name it, beside others that name another one or none, and the decoder's weights stay as they are.
#[derive(Clone, Debug)]
pub struct PagedAdapter {
    layers: Vec<[Option<LoraPair>; TARGETS.len()]>,
    /// Values in and out of the projections of a layer.
    dims: [[usize; 2]; TARGETS.len()],
}

/// A projection of a layer, in the order of [`TARGETS`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Query,
    Key,
    Value,
    Output,
    Gate,
    Up,
    Down,
}

/// Where a projection stands in a decoder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) layer: usize,
    pub(super) target: Target,
}

impl PagedAdapter {
    /// The adapters that act beside a decoder's projections.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where it has none.
    pub fn new(adapted: &Decoder) -> Result<Self> {
        let mut adapted = adapted.clone();
        let dims = dims(adapted.config());
        let mut layers = vec![[const { None }; TARGETS.len()]; adapted.config().n_layers];
        for (name, layer, projection) in adapted.projections_mut() {
            let Some(target) = TARGETS.iter().position(|target| *target == name) else { continue };
            layers[layer][target] = projection.lora.clone().filter(|lora| !lora.merged).map(Module::no_grad);
        }
        if layers.iter().flatten().all(Option::is_none) {
            let found = "a model without adapters, or with merged ones".to_owned();
            return Err(Error::Unsupported { what: "adapter", found, supported: "one that acts beside the weights" });
        }
        Ok(Self { layers, dims })
    }

    /// The adapter of a PEFT folder for the model `base`.
    ///
    /// # Errors
    /// As [`Decoder::with_lora_from`].
    pub fn from_folder(base: &Decoder, folder: impl AsRef<Path>) -> Result<Self> {
        Self::new(&base.clone().with_lora_from(folder)?)
    }

    /// Numbers that it holds.
    pub fn num_params(&self) -> usize {
        self.layers.iter().flatten().flatten().map(Module::num_params).sum()
    }

    /// Whether it is one for models of this shape.
    pub fn fits(&self, config: &DecoderConfig) -> bool {
        self.layers.len() == config.n_layers && self.dims == dims(config)
    }

    fn pair(&self, place: Place) -> Option<&LoraPair> {
        self.layers[place.layer][place.target as usize].as_ref()
    }
}

/// Values in and out of each of [`TARGETS`].
fn dims(config: &DecoderConfig) -> [[usize; 2]; TARGETS.len()] {
    let (d, ff) = (config.d_model, config.d_ff);
    let (heads, kv) = (config.n_heads * config.head_width(), config.kv_heads() * config.head_width());
    [[d, heads], [d, kv], [d, kv], [heads, d], [d, ff], [d, ff], [ff, d]]
}

/// The rows of a step that one adapter is added to.
#[derive(Debug)]
pub(super) struct AdaptedRows<'a> {
    adapter: &'a PagedAdapter,
    rows: Vec<usize>,
}

impl<'a> AdaptedRows<'a> {
    /// Those of a batch, sequences with the same adapter together.
    pub(super) fn of(batch: &PagedBatch<'a>) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for (starts, adapter) in batch.query_starts.windows(2).zip(batch.adapters) {
            let Some(adapter) = *adapter else { continue };
            let at = groups.iter().position(|group| std::ptr::eq(group.adapter, adapter)).unwrap_or_else(|| {
                groups.push(Self { adapter, rows: Vec::new() });
                groups.len() - 1
            });
            groups[at].rows.extend(starts[0]..starts[1]);
        }
        groups
    }

    /// Its rows of `x [rows, width]`, edited by `edit`.
    pub(super) fn gather(&self, x: &[f32], width: usize, edit: impl FnOnce(&mut [f32])) -> Tensor<2> {
        let mut rows: Vec<f32> = self.rows.iter().flat_map(|row| &x[row * width..(row + 1) * width]).copied().collect();
        edit(&mut rows);
        let device = self.adapter.layers.iter().flatten().flatten().next().expect("an adapter has a pair").a.val().device();
        Tensor::from_data(TensorData::new(rows, [self.rows.len(), width]), &device)
    }

    /// Whether the adapter has something for a projection.
    pub(super) fn acts_on(&self, place: Place) -> bool {
        self.adapter.pair(place).is_some()
    }

    /// Adds what the adapter makes of its rows `x` to those rows of a projection's output.
    pub(super) fn add(&self, place: Place, x: &Tensor<2>, out: &mut [f32]) {
        let Some(pair) = self.adapter.pair(place) else { return };
        let delta = host_values(pair.forward(x.clone()));
        let width = delta.len() / self.rows.len().max(1);
        for (row, delta) in self.rows.iter().zip(delta.chunks_exact(width.max(1))) {
            out[row * width..(row + 1) * width].iter_mut().zip(delta).for_each(|(out, delta)| *out += delta);
        }
    }
}
