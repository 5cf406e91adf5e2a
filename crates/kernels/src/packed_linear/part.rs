//! Layers of some of the outputs or inputs of another: what one of several workers computes.

use std::ops::Range;
use std::sync::Arc;

use super::{LinearInput, PackedLinear, PackedWeights, module};
use crate::Bf16Weights;
use crate::packed::{Int4Weights, Int8Weights, QuantizedRows};

impl PackedWeights {
    /// Neighbouring inputs that have to stay together, as they share a scale: a group in four bits, else 1.
    pub fn group(&self) -> usize {
        match self {
            Self::Int4(weights) => weights.group(),
            Self::Int8(_) | Self::Bf16(_) => 1,
        }
    }

    /// The weights between some outputs and some inputs: the same integers with the same scales, which were taken over whole rows.
    ///
    /// # Panics
    /// Where there are no such outputs or inputs, or a [`group`](Self::group) of inputs is cut.
    pub fn part(&self, outputs: Range<usize>, inputs: Range<usize>) -> Self {
        let ([n, k], group) = (self.shape(), self.group());
        assert!(outputs.end <= n && inputs.end <= k, "outputs {outputs:?} and inputs {inputs:?} of {n} outputs and {k} inputs");
        assert!(inputs.start.is_multiple_of(group) && inputs.end.is_multiple_of(group), "inputs {inputs:?} cut a group of {group}");
        let shape = [outputs.len(), inputs.len()];
        match self {
            Self::Int8(weights) => {
                let (values, scales) = weights.parts();
                let values = cut(&values, k, &outputs, &inputs);
                Int8Weights::from_parts(&values, &scales[outputs], shape[0], shape[1]).into()
            }
            Self::Int4(weights) => {
                let (codes, scales, zeros) = weights.parts();
                let groups = inputs.start / group..inputs.end / group;
                let scales = cut(&scales, k / group, &outputs, &groups);
                let zeros = zeros.map(|zeros| cut(&zeros, k / group, &outputs, &groups));
                Int4Weights::from_parts(&cut(&codes, k, &outputs, &inputs), &scales, zeros.as_deref(), shape, group).into()
            }
            Self::Bf16(weights) => Bf16Weights::new(&cut(&weights.dequantize(), k, &outputs, &inputs), shape).into(),
        }
    }
}

impl PackedLinear {
    /// The layer of some outputs, with their biases.
    ///
    /// # Panics
    /// Where there are no such outputs.
    pub fn outputs_part(&self, outputs: Range<usize>) -> Self {
        let inputs = 0..self.dims()[0];
        let bias = self.bias.as_ref().map(|bias| bias[outputs.clone()].into());
        Self { bias, ..self.with_weights(self.weights.part(outputs, inputs)) }
    }

    /// The layer of some inputs, whose products have to be added to those of the others. It has the bias of the whole layer, which is to be
    /// added once.
    ///
    /// # Panics
    /// As [`PackedWeights::part`].
    pub fn inputs_part(&self, inputs: Range<usize>) -> Self {
        let outputs = 0..self.dims()[1];
        self.with_weights(self.weights.part(outputs, inputs))
    }

    fn with_weights(&self, weights: PackedWeights) -> Self {
        Self { weights: Arc::new(weights), bias: self.bias.clone(), inputs: self.inputs, ids: module::ids() }
    }

    /// Whether the layer's sums are those of integers, so that the sums of its parts add up to its own exactly.
    pub fn sums_integers(&self) -> bool {
        self.multiplies_integers() && matches!(*self.weights, PackedWeights::Int8(_))
    }

    /// The sums of a layer that [sums integers](Self::sums_integers), `[m, outputs]`.
    ///
    /// # Panics
    /// Where it does not, or the rows have not as many values as the layer has inputs.
    pub fn integer_sums(&self, x: &QuantizedRows) -> Vec<i32> {
        self.int8().integer_sums(x)
    }

    /// What [`project`](Self::project) makes of rows with these integer sums `[m, outputs]` and scales `[m]`: `x W^T + b`.
    ///
    /// # Panics
    /// Where the layer does not [sum integers](Self::sums_integers), or the sizes do not fit.
    pub fn finish_sums(&self, sums: &[i32], row_scales: &[f32], out: &mut [f32]) {
        self.int8().finish_sums(sums, row_scales, out, &self.epilogue());
    }

    fn int8(&self) -> &Int8Weights {
        match &*self.weights {
            PackedWeights::Int8(weights) => weights,
            _ => panic!("only weights of eight bits sum integers"),
        }
    }
}

impl LinearInput {
    /// Rows as they are.
    ///
    /// # Panics
    /// Where they were rounded.
    pub fn floats(&self) -> &[f32] {
        match self {
            Self::Float(x) => x,
            Self::Quantized(_) => panic!("these rows were rounded to eight bits"),
        }
    }
}

/// Some rows and columns of a matrix with rows of `width` values.
fn cut<T: Copy>(values: &[T], width: usize, rows: &Range<usize>, columns: &Range<usize>) -> Vec<T> {
    rows.clone().flat_map(|row| &values[row * width..][columns.clone()]).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::super::Inputs;
    use super::*;

    const N: usize = 45;
    const K: usize = 96;

    fn noise(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin()).collect()
    }

    fn layers() -> Vec<PackedLinear> {
        let weights = noise(N * K, 0.37);
        let codes: Vec<u8> = weights.iter().map(|x| ((x + 1.0) * 7.9) as u8).collect();
        let zeros: Vec<u8> = (0..N * 4).map(|i| (i % 17) as u8).collect();
        let scales: Vec<f32> = noise(N * 4, 0.11).iter().map(|x| x.abs() + 0.1).collect();
        let kinds: Vec<PackedWeights> = vec![
            Int8Weights::quantize(&weights, N, K).into(),
            Int4Weights::from_parts(&codes, &scales, Some(&zeros), [N, K], 24).into(),
            Int4Weights::quantize(&weights, N, K, 24).into(),
            Bf16Weights::new(&weights, [N, K]).into(),
        ];
        kinds.into_iter().map(|weights| PackedLinear::new(weights, Inputs::Int8).with_bias(Some(noise(N, 0.5)))).collect()
    }

    fn project(layer: &PackedLinear, x: &[f32], m: usize) -> Vec<f32> {
        let mut out = vec![0.0; m * layer.dims()[1]];
        layer.project(&LinearInput::Float(x.to_vec()), &mut out, false);
        out
    }

    #[test]
    fn a_part_of_the_outputs_has_the_bits_of_the_whole() {
        let x = noise(5 * K, 0.71);
        for layer in layers() {
            let whole = project(&layer, &x, 5);
            for outputs in [0..N, 0..7, 7..40, 40..45, 9..9] {
                let part = project(&layer.outputs_part(outputs.clone()), &x, 5);
                assert_eq!(part, cut(&whole, N, &(0..5), &outputs), "{outputs:?}");
            }
        }
    }

    #[test]
    fn parts_of_the_inputs_hold_their_weights() {
        for layer in layers() {
            let whole = layer.weights().dequantize();
            for inputs in [0..K, 0..24, 24..72, 72..K] {
                let part = layer.inputs_part(inputs.clone());
                assert_eq!(part.weights().dequantize(), cut(&whole, K, &(0..N), &inputs));
                assert_eq!(part.bias(), layer.bias());
            }
        }
    }

    #[test]
    #[should_panic(expected = "cut a group of 24")]
    fn a_group_is_not_cut() {
        layers()[1].inputs_part(0..32);
    }
}
