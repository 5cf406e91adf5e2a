use burn::module::Param;
use burn::tensor::{Tensor, TensorData};
use jarre_kernels::{Activation, LinearInput, PackedLinear, Precision, RowNorm, WeightLayout, gate_rows, host_values, linear};

use crate::decoder::Projection;
use crate::error::{Error, Result};

/// A linear layer over rows in host memory. Weights are shared with the layer that it was made of.
#[derive(Clone, Debug)]
pub(super) enum RowLinear {
    Packed(PackedLinear),
    Float(Box<FloatLinear>),
}

/// A layer whose weights are f32.
#[derive(Clone, Debug)]
pub(super) struct FloatLinear {
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    layout: WeightLayout,
    precision: Precision,
}

impl RowLinear {
    /// # Errors
    /// Where an adapter is attached that is not merged.
    pub(super) fn new(projection: &Projection) -> Result<Self> {
        if projection.lora.as_ref().is_some_and(|lora| !lora.merged) {
            let found = "an adapter beside the weights".to_owned();
            return Err(Error::Unsupported { what: "layer", found, supported: "adapters that were merged" });
        }
        Ok(match (&projection.linear, &projection.packed) {
            (Some(float), _) => Self::Float(Box::new(FloatLinear {
                weight: float.weight.val(),
                bias: float.bias.as_ref().map(Param::val),
                layout: WeightLayout::InputFirst,
                precision: projection.precision,
            })),
            (None, Some(packed)) => Self::Packed(packed.clone()),
            (None, None) => unreachable!("a layer has weights, packed or not"),
        })
    }

    /// Logits by an embedding table.
    pub(super) fn tied(table: Tensor<2>, precision: Precision) -> Self {
        Self::Float(Box::new(FloatLinear { weight: table, bias: None, layout: WeightLayout::OutputFirst, precision }))
    }

    /// Values of an output row.
    pub(super) fn outputs(&self) -> usize {
        match self {
            Self::Packed(packed) => packed.dims()[1],
            Self::Float(float) => float.weight.dims()[usize::from(float.layout == WeightLayout::InputFirst)],
        }
    }

    pub(super) fn multiplies_integers(&self) -> bool {
        matches!(self, Self::Packed(packed) if packed.multiplies_integers())
    }

    /// `x W + b` of `rows` rows.
    pub(super) fn forward(&self, x: &LinearInput, rows: usize) -> Vec<f32> {
        match self {
            Self::Packed(packed) => {
                let mut out = vec![0.0; rows * self.outputs()];
                packed.project(x, &mut out, false);
                out
            }
            Self::Float(float) => float.forward(x, rows),
        }
    }

    /// Adds `x W + b` to rows.
    pub(super) fn forward_onto(&self, x: &LinearInput, rows: usize, out: &mut [f32]) {
        match self {
            Self::Packed(packed) => packed.project(x, out, true),
            Self::Float(float) => out.iter_mut().zip(float.forward(x, rows)).for_each(|(out, x)| *out += x),
        }
    }

    /// `act(gate(x)) * self(x)`.
    pub(super) fn forward_gated(&self, gate: &Self, x: &LinearInput, rows: usize, activation: Activation) -> Vec<f32> {
        if let (Self::Packed(up), Self::Packed(gate)) = (self, gate) {
            let mut out = vec![0.0; rows * self.outputs()];
            gate.project_gated(up, x, &mut out, activation);
            return out;
        }
        let mut out = gate.forward(x, rows);
        gate_rows(&mut out, Some(&self.forward(x, rows)), activation);
        out
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

/// Rows, normalised where there is a norm, as layers read them: rounded where all of them multiply integers.
pub(super) fn input<'a>(x: &[f32], norm: Option<&RowNorm>, readers: impl IntoIterator<Item = &'a RowLinear>) -> LinearInput {
    if let Some(norm) = norm
        && readers.into_iter().all(RowLinear::multiplies_integers)
    {
        return LinearInput::Quantized(norm.quantize(x));
    }
    let mut x = x.to_vec();
    if let Some(norm) = norm {
        norm.apply(&mut x);
    }
    LinearInput::Float(x)
}
