mod words;

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use jarre_kernels::host_values;

use super::batch::PagedBatch;
use super::row_linear::RowLinear;
use super::shard::Shard;
use crate::decoder::{Decoder, DecoderConfig};
use crate::error::{Error, Result};
use crate::lora::{LoraPair, TARGETS};

/// A low-rank adapter ([Hu et al. 2021](https://arxiv.org/abs/2106.09685)) of a [`PagedDecoder`](super::PagedDecoder): it is added to the rows
/// of those sequences that name it, beside others that name another one or none, and the decoder's weights stay as they are.
#[derive(Clone, Debug)]
pub struct PagedAdapter {
    layers: Vec<OfTargets<Option<LoraPair>>>,
    /// Values in and out of the projections of a layer, of the whole model.
    dims: OfTargets<[usize; 2]>,
    /// The worker that it was cut for.
    shard: Shard,
}

/// One for each projection of a layer, in the order of [`TARGETS`].
pub(super) type OfTargets<T> = [T; TARGETS.len()];

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
        let mut layers = nothing(adapted.config());
        for (name, layer, projection) in adapted.projections_mut() {
            let Some(target) = TARGETS.iter().position(|target| *target == name) else { continue };
            layers[layer][target] = projection.lora.clone().filter(|lora| !lora.merged).map(Module::no_grad);
        }
        if layers.iter().flatten().all(Option::is_none) {
            let found = "a model without adapters, or with merged ones".to_owned();
            return Err(Error::Unsupported { what: "adapter", found, supported: "one that acts beside the weights" });
        }
        Ok(Self { layers, dims, shard: Shard::WHOLE })
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

    /// Whether it is one for models of this shape that are whole.
    pub fn fits(&self, config: &DecoderConfig) -> bool {
        self.fits_part(config, Shard::WHOLE)
    }

    /// Whether it is one for this worker's part of models of this shape.
    pub(super) fn fits_part(&self, config: &DecoderConfig, shard: Shard) -> bool {
        self.shard == shard && self.layers.len() == config.n_layers && self.dims == dims(config)
    }

    /// What of it a worker needs whose layers have these projections.
    pub(super) fn part<'a>(&self, shard: Shard, layers: impl Iterator<Item = OfTargets<Option<&'a RowLinear>>>) -> Self {
        let part = |(pairs, linears): (&OfTargets<Option<LoraPair>>, OfTargets<Option<&RowLinear>>)| {
            std::array::from_fn(|target| Some(linears[target]?.pair_part(pairs[target].as_ref()?)))
        };
        Self { layers: self.layers.iter().zip(layers).map(part).collect(), dims: self.dims, shard }
    }

    fn pair(&self, place: Place) -> Option<&LoraPair> {
        self.layers[place.layer][place.target as usize].as_ref()
    }
}

/// An adapter's layers before they have anything.
fn nothing(config: &DecoderConfig) -> Vec<OfTargets<Option<LoraPair>>> {
    vec![[const { None }; TARGETS.len()]; config.n_layers]
}

/// Values in and out of each of [`TARGETS`].
fn dims(config: &DecoderConfig) -> OfTargets<[usize; 2]> {
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
        self.tensor(rows, width)
    }

    /// Whether the adapter has something for a projection.
    pub(super) fn acts_on(&self, place: Place) -> bool {
        self.adapter.pair(place).is_some()
    }

    /// Adds what the adapter makes of its rows `x` to those rows of a projection's output.
    pub(super) fn add(&self, place: Place, x: &Tensor<2>, out: &mut [f32]) {
        if let Some(pair) = self.adapter.pair(place) {
            self.scatter(pair.forward(x.clone()), out);
        }
    }

    /// What the adapter makes of its rows `x` first, `[rows, rank]`; nothing where it has nothing for the projection.
    pub(super) fn lower(&self, place: Place, x: &Tensor<2>) -> Option<(Vec<f32>, usize)> {
        let low = self.adapter.pair(place)?.lower(x.clone());
        let [_, rank] = low.dims();
        Some((host_values(low), rank))
    }

    /// As [`add`](Self::add), from what [`lower`](Self::lower) gave.
    pub(super) fn raise(&self, place: Place, (low, rank): (Vec<f32>, usize), out: &mut [f32]) {
        if let Some(pair) = self.adapter.pair(place) {
            self.scatter(pair.raise(self.tensor(low, rank)), out);
        }
    }

    fn scatter(&self, delta: Tensor<2>, out: &mut [f32]) {
        let [_, width] = delta.dims();
        let delta = host_values(delta);
        for (row, delta) in self.rows.iter().zip(delta.chunks_exact(width.max(1))) {
            out[row * width..(row + 1) * width].iter_mut().zip(delta).for_each(|(out, delta)| *out += delta);
        }
    }

    /// One row for each of its rows, where the adapter is.
    fn tensor(&self, values: Vec<f32>, width: usize) -> Tensor<2> {
        let device = self.adapter.layers.iter().flatten().flatten().next().expect("an adapter has a pair").a.val().device();
        Tensor::from_data(TensorData::new(values, [self.rows.len(), width]), &device)
    }
}
