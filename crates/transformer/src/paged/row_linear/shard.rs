//! Layers of some of the outputs or inputs of another.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use jarre_kernels::{PackedLinear, WeightLayout, host_values};

use super::{FloatLinear, RowLinear, Weights};
use crate::lora::LoraPair;

/// What of a layer there is.
#[derive(Clone, Debug)]
pub(in crate::paged) enum Cut {
    Whole,
    Outputs(Range<usize>),
    Inputs(Range<usize>),
}

impl RowLinear {
    /// The layer of some outputs, with their biases.
    pub(in crate::paged) fn outputs_part(&self, outputs: Range<usize>) -> Self {
        let weights = match &self.weights {
            Weights::Packed(packed) => Weights::Packed(packed.outputs_part(outputs.clone())),
            Weights::Float(float) => {
                let bias = float.bias.as_ref().map(|bias| host_values(bias.clone())[outputs.clone()].to_vec());
                let bias = bias.map(|bias| Tensor::from_data(&*bias, &float.weight.device()));
                Weights::Float(Box::new(FloatLinear { bias, ..float.part(None, Some(outputs.clone())) }))
            }
        };
        Self { weights, place: self.place, cut: Cut::Outputs(outputs) }
    }

    /// The layer of some inputs, with the bias of the whole.
    pub(in crate::paged) fn inputs_part(&self, inputs: Range<usize>) -> Self {
        let weights = match &self.weights {
            Weights::Packed(packed) => Weights::Packed(packed.inputs_part(inputs.clone())),
            Weights::Float(float) => Weights::Float(Box::new(float.part(Some(inputs.clone()), None))),
        };
        Self { weights, place: self.place, cut: Cut::Inputs(inputs) }
    }

    /// A layer that has been read as this part of another one.
    pub(in crate::paged) fn cut_by(self, cut: Cut) -> Self {
        Self { cut, ..self }
    }

    /// What of an adapter's matrices for the whole layer belongs to this part of it: rows of `A` to inputs, columns of `B` to outputs.
    pub(in crate::paged) fn pair_part(&self, pair: &LoraPair) -> LoraPair {
        let (a, b) = match &self.cut {
            Cut::Whole => return pair.clone(),
            Cut::Outputs(outputs) => (pair.a.val(), cut(&pair.b.val(), None, Some(outputs.clone()))),
            Cut::Inputs(inputs) => (cut(&pair.a.val(), Some(inputs.clone()), None), pair.b.val()),
        };
        LoraPair::of(a, b, pair.scale).no_grad()
    }

    /// Neighbouring inputs that have to stay together.
    pub(in crate::paged) fn group(&self) -> usize {
        self.packed().map_or(1, |packed| packed.weights().group())
    }

    /// The packed layer, where it is one.
    pub(in crate::paged) fn packed(&self) -> Option<&PackedLinear> {
        match &self.weights {
            Weights::Packed(packed) => Some(packed),
            Weights::Float(_) => None,
        }
    }

    /// The same layer without its bias; weights are shared.
    pub(in crate::paged) fn without_bias(&self) -> Self {
        let weights = match &self.weights {
            Weights::Packed(packed) => Weights::Packed(packed.clone().with_bias(None)),
            Weights::Float(float) => Weights::Float(Box::new(FloatLinear { bias: None, ..(**float).clone() })),
        };
        Self { weights, place: self.place, cut: self.cut.clone() }
    }

    pub(in crate::paged) fn bias(&self) -> Option<Vec<f32>> {
        match &self.weights {
            Weights::Packed(packed) => packed.bias().map(<[f32]>::to_vec),
            Weights::Float(float) => float.bias.clone().map(host_values),
        }
    }
}

impl FloatLinear {
    /// Some inputs and outputs, copied so that products find them one after another.
    fn part(&self, inputs: Option<Range<usize>>, outputs: Option<Range<usize>>) -> Self {
        let [first, second] = if self.layout == WeightLayout::InputFirst { [inputs, outputs] } else { [outputs, inputs] };
        Self { weight: cut(&self.weight, first, second), ..self.clone() }
    }
}

/// Some rows and columns of a matrix, all where none are given.
fn cut(matrix: &Tensor<2>, rows: Option<Range<usize>>, columns: Option<Range<usize>>) -> Tensor<2> {
    let [height, width] = matrix.dims();
    let (rows, columns) = (rows.unwrap_or(0..height), columns.unwrap_or(0..width));
    let values = host_values(matrix.clone());
    let part: Vec<f32> = rows.clone().flat_map(|row| &values[row * width..][columns.clone()]).copied().collect();
    Tensor::from_data(TensorData::new(part, [rows.len(), columns.len()]), &matrix.device())
}
