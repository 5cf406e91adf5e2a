mod shard;

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};
use jarre_kernels::{Activation, LinearInput, PackedLinear, Precision, RowNorm, WeightLayout, gate_rows, host_values, linear};

pub(super) use self::shard::Cut;
use super::adapter::{AdaptedRows, Place};
use super::low_rank::LowRank;
use super::step::Step;
use crate::decoder::Projection;
use crate::error::{Error, Result};

/// A linear layer over rows in host memory, and what adapters add to it.
#[derive(Clone, Debug)]
pub(super) struct RowLinear {
    weights: Weights,
    /// Where adapters look for it; none where they have nothing for it.
    place: Option<Place>,
    cut: Cut,
}

/// Weights that are shared with the layer that they were made of.
#[derive(Clone, Debug)]
enum Weights {
    Packed(PackedLinear),
    Float(Box<FloatLinear>),
}

/// A layer whose weights are f32.
#[derive(Clone, Debug)]
struct FloatLinear {
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    layout: WeightLayout,
    precision: Precision,
}

impl RowLinear {
    /// # Errors
    /// Where an adapter is attached that is not merged.
    pub(super) fn new(projection: &Projection, place: Option<Place>) -> Result<Self> {
        if projection.lora.as_ref().is_some_and(|lora| !lora.merged) {
            let found = "an adapter beside the weights".to_owned();
            return Err(Error::Unsupported { what: "layer", found, supported: "adapters that were merged, or come with a batch" });
        }
        let weights = match (&projection.linear, &projection.packed) {
            (Some(float), _) => Weights::Float(Box::new(FloatLinear {
                weight: float.weight.val(),
                bias: float.bias.as_ref().map(Param::val),
                layout: WeightLayout::InputFirst,
                precision: projection.precision,
            })),
            (None, Some(packed)) => Weights::Packed(packed.clone()),
            (None, None) => unreachable!("a layer has weights, packed or not"),
        };
        Ok(Self { weights, place, cut: Cut::Whole })
    }

    /// Logits by an embedding table.
    pub(super) fn tied(table: Tensor<2>, precision: Precision) -> Self {
        let float = FloatLinear { weight: table, bias: None, layout: WeightLayout::OutputFirst, precision };
        Self { weights: Weights::Float(Box::new(float)), place: None, cut: Cut::Whole }
    }

    /// Values of an output row.
    pub(super) fn outputs(&self) -> usize {
        match &self.weights {
            Weights::Packed(packed) => packed.dims()[1],
            Weights::Float(float) => float.weight.dims()[usize::from(float.layout == WeightLayout::InputFirst)],
        }
    }

    fn multiplies_integers(&self) -> bool {
        matches!(&self.weights, Weights::Packed(packed) if packed.multiplies_integers())
    }

    /// `x W + b` of `rows` rows, without adapters.
    pub(super) fn product(&self, x: &LinearInput, rows: usize) -> Vec<f32> {
        match &self.weights {
            Weights::Packed(packed) => {
                let mut out = vec![0.0; rows * self.outputs()];
                packed.project(x, &mut out, false);
                out
            }
            Weights::Float(float) => float.forward(x, rows),
        }
    }

    /// `x W + b`, and what adapters add.
    pub(super) fn forward(&self, x: &RowInput, step: &Step<'_>) -> Vec<f32> {
        let mut out = self.product(&x.rows, step.rows);
        self.adapt(x, step, &mut out);
        out
    }

    /// Adds `x W + b`, and what adapters add, to rows.
    pub(super) fn forward_onto(&self, x: &RowInput, step: &Step<'_>, out: &mut [f32]) {
        match &self.weights {
            Weights::Packed(packed) => packed.project(&x.rows, out, true),
            Weights::Float(float) => out.iter_mut().zip(float.forward(&x.rows, step.rows)).for_each(|(out, x)| *out += x),
        }
        self.adapt(x, step, out);
    }

    /// `act(gate(x)) * self(x)`.
    pub(super) fn forward_gated(&self, gate: &Self, x: &RowInput, step: &Step<'_>, activation: Activation) -> Vec<f32> {
        if let (Weights::Packed(up), Weights::Packed(packed)) = (&self.weights, &gate.weights)
            && !self.is_adapted(step)
            && !gate.is_adapted(step)
        {
            let mut out = vec![0.0; step.rows * self.outputs()];
            packed.project_gated(up, &x.rows, &mut out, activation);
            return out;
        }
        let mut out = gate.forward(x, step);
        gate_rows(&mut out, Some(&self.forward(x, step)), activation);
        out
    }

    fn is_adapted(&self, step: &Step<'_>) -> bool {
        self.place.is_some_and(|place| step.adapted.iter().any(|adapted| adapted.acts_on(place)))
    }

    /// Adds what adapters make of rows.
    pub(super) fn adapt(&self, x: &RowInput, step: &Step<'_>, out: &mut [f32]) {
        let Some(place) = self.place else { return };
        for (adapted, x) in step.adapted.iter().zip(&x.adapted) {
            adapted.add(place, x, out);
        }
    }

    /// What adapters make of rows first: see [`raise`](Self::raise).
    pub(super) fn lower(&self, x: &RowInput, step: &Step<'_>) -> Vec<LowRank> {
        let Some(place) = self.place else { return Vec::new() };
        let lower = |(adapter, (adapted, x)): (usize, (&AdaptedRows<'_>, &Tensor<2>))| {
            let (values, rank) = adapted.lower(place, x)?;
            Some(LowRank { adapter, values, rank })
        };
        step.adapted.iter().zip(&x.adapted).enumerate().filter_map(lower).collect()
    }

    /// As [`adapt`](Self::adapt), from what [`lower`](Self::lower) gave.
    pub(super) fn raise(&self, low: Vec<LowRank>, step: &Step<'_>, out: &mut [f32]) {
        let Some(place) = self.place else { return };
        for LowRank { adapter, values, rank } in low {
            step.adapted[adapter].raise(place, (values, rank), out);
        }
    }
}

impl FloatLinear {
    fn forward(&self, x: &LinearInput, rows: usize) -> Vec<f32> {
        let LinearInput::Float(x) = x else { unreachable!("rows are rounded where all layers multiply integers") };
        let x = TensorData::new(x.clone(), [rows, x.len() / rows.max(1)]);
        let x = Tensor::<2>::from_data(x, &self.weight.device());
        host_values(linear(x, self.weight.clone(), self.bias.clone(), self.layout, self.precision))
    }
}

/// Rows as layers read them.
#[derive(Debug)]
pub(super) struct RowInput {
    pub(super) rows: LinearInput,
    /// The rows of each adapter of the step, which are not rounded.
    adapted: Vec<Tensor<2>>,
}

impl RowInput {
    /// Rows, normalised where there is a norm: rounded where all of their readers multiply integers.
    pub(super) fn new<'a>(x: &[f32], norm: Option<&RowNorm>, readers: impl IntoIterator<Item = &'a RowLinear>, step: &Step<'_>) -> Self {
        let Some(norm) = norm else { return Self::plain(x.to_vec(), step) };
        let adapted = gather(x, step, |rows| norm.apply(rows));
        if readers.into_iter().all(RowLinear::multiplies_integers) {
            return Self { rows: LinearInput::Quantized(norm.quantize(x)), adapted };
        }
        let mut x = x.to_vec();
        norm.apply(&mut x);
        Self { rows: LinearInput::Float(x), adapted }
    }

    /// Rows as they are.
    pub(super) fn plain(x: Vec<f32>, step: &Step<'_>) -> Self {
        Self { adapted: gather(&x, step, |_| ()), rows: LinearInput::Float(x) }
    }
}

fn gather(x: &[f32], step: &Step<'_>, edit: impl Fn(&mut [f32])) -> Vec<Tensor<2>> {
    let width = x.len() / step.rows.max(1);
    step.adapted.iter().map(|adapted| adapted.gather(x, width, &edit)).collect()
}
