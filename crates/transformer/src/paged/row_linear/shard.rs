//! Layers of some of the outputs or inputs of another.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};
use jarre_kernels::{PackedLinear, WeightLayout, host_values};

use super::{FloatLinear, RowLinear, Weights};

impl RowLinear {
    /// The layer of some outputs, with their biases.
    pub(in crate::paged) fn outputs_part(&self, outputs: Range<usize>) -> Self {
        Self::part(match &self.weights {
            Weights::Packed(packed) => Weights::Packed(packed.outputs_part(outputs)),
            Weights::Float(float) => {
                let bias = float.bias.as_ref().map(|bias| host_values(bias.clone())[outputs.clone()].to_vec());
                let bias = bias.map(|bias| Tensor::from_data(&*bias, &float.weight.device()));
                Weights::Float(Box::new(FloatLinear { bias, ..float.part(None, Some(outputs)) }))
            }
        })
    }

    /// The layer of some inputs, with the bias of the whole.
    pub(in crate::paged) fn inputs_part(&self, inputs: Range<usize>) -> Self {
        Self::part(match &self.weights {
            Weights::Packed(packed) => Weights::Packed(packed.inputs_part(inputs)),
            Weights::Float(float) => Weights::Float(Box::new(float.part(Some(inputs), None))),
        })
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
        Self::part(match &self.weights {
            Weights::Packed(packed) => Weights::Packed(packed.clone().with_bias(None)),
            Weights::Float(float) => Weights::Float(Box::new(FloatLinear { bias: None, ..(**float).clone() })),
        })
    }

    pub(in crate::paged) fn bias(&self) -> Option<Vec<f32>> {
        match &self.weights {
            Weights::Packed(packed) => packed.bias().map(<[f32]>::to_vec),
            Weights::Float(float) => float.bias.clone().map(host_values),
        }
    }

    /// Adapters, which are for whole layers, have nothing for parts.
    fn part(weights: Weights) -> Self {
        Self { weights, place: None }
    }
}

impl FloatLinear {
    /// Some inputs and outputs, copied so that products find them one after another.
    fn part(&self, inputs: Option<Range<usize>>, outputs: Option<Range<usize>>) -> Self {
        let [first, second] = if self.layout == WeightLayout::InputFirst { [inputs, outputs] } else { [outputs, inputs] };
        let [height, width] = self.weight.dims();
        let (rows, columns) = (first.unwrap_or(0..height), second.unwrap_or(0..width));
        let values = host_values(self.weight.clone());
        let part: Vec<f32> = rows.clone().flat_map(|row| &values[row * width..][columns.clone()]).copied().collect();
        let weight = Tensor::from_data(TensorData::new(part, [rows.len(), columns.len()]), &self.weight.device());
        Self { weight, ..self.clone() }
    }
}
