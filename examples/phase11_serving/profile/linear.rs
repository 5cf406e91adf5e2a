//! Linear layers of a model's sizes, with weights that were drawn.

use jarre_kernels::packed::{Int4Weights, Int8Weights};
use jarre_kernels::{
    Activation, Bf16Weights, Inputs, LinearInput, PackedLinear, PackedWeights, Precision, RowNorm, WeightLayout, gate_rows, host_values,
    linear,
};
use jarre_transformer::{Device, Tensor};

use super::work::Unit;
use crate::args::Quant;

/// Weights of a group of four bits.
const GROUP: usize = 32;

pub(super) enum Linear {
    Packed(PackedLinear),
    Float(Box<Float>),
}

/// Weights of f32.
pub(super) struct Float {
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    layout: WeightLayout,
}

impl Linear {
    /// A layer in memory of its own. Four bits are eight where a group does not divide the inputs, as the quantiser has it.
    pub(super) fn new([inputs, outputs]: [usize; 2], bias: bool, quant: Option<Quant>, layout: WeightLayout) -> Self {
        let values = noise(inputs * outputs);
        let zeros = bias.then(|| vec![0.0; outputs]);
        let weights: PackedWeights = match quant {
            None => {
                let dims = if layout == WeightLayout::InputFirst { [inputs, outputs] } else { [outputs, inputs] };
                let weight = Tensor::<1>::from_data(values.as_slice(), &Device::default()).reshape(dims);
                let bias = zeros.map(|zeros| Tensor::<1>::from_data(zeros.as_slice(), &Device::default()));
                return Self::Float(Box::new(Float { weight, bias, layout }));
            }
            Some(Quant::Bf16) => Bf16Weights::new(&values, [outputs, inputs]).into(),
            Some(Quant::Int4) if inputs.is_multiple_of(GROUP) => Int4Weights::quantize(&values, outputs, inputs, GROUP).into(),
            Some(Quant::Int4 | Quant::Int8) => Int8Weights::quantize(&values, outputs, inputs).into(),
        };
        Self::Packed(PackedLinear::new(weights, Inputs::Int8).with_bias(zeros))
    }

    /// `[inputs, outputs]`.
    pub(super) fn dims(&self) -> [usize; 2] {
        match self {
            Self::Packed(packed) => packed.dims(),
            Self::Float(float) => {
                let [rows, columns] = float.weight.dims();
                if float.layout == WeightLayout::InputFirst { [rows, columns] } else { [columns, rows] }
            }
        }
    }

    /// Bytes of the weights.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Packed(packed) => packed.bytes(),
            Self::Float(float) => 4 * float.weight.dims().iter().product::<usize>(),
        }
    }

    /// What multiplies.
    pub(super) fn unit(&self) -> Unit {
        match self {
            Self::Packed(_) => Unit::Packed,
            Self::Float(_) => Unit::Float,
        }
    }

    pub(super) fn multiplies_integers(&self) -> bool {
        matches!(self, Self::Packed(packed) if packed.multiplies_integers())
    }

    pub(super) fn forward(&self, x: &LinearInput, rows: usize) -> Vec<f32> {
        match (self, x) {
            (Self::Packed(packed), x) => {
                let mut out = vec![0.0; rows * self.dims()[1]];
                packed.project(x, &mut out, false);
                out
            }
            (Self::Float(float), LinearInput::Float(x)) => {
                let Float { weight, bias, layout } = &**float;
                let x = Tensor::<1>::from_data(x.as_slice(), &weight.device()).reshape([rows, x.len() / rows.max(1)]);
                host_values(linear(x, weight.clone(), bias.clone(), *layout, Precision::F32))
            }
            (Self::Float(_), LinearInput::Quantized(_)) => unreachable!("rows are rounded where all layers multiply integers"),
        }
    }

    pub(super) fn forward_onto(&self, x: &LinearInput, rows: usize, out: &mut [f32]) {
        match self {
            Self::Packed(packed) => packed.project(x, out, true),
            Self::Float(_) => out.iter_mut().zip(self.forward(x, rows)).for_each(|(out, x)| *out += x),
        }
    }

    /// `act(gate(x)) * self(x)`.
    pub(super) fn forward_gated(&self, gate: &Self, x: &LinearInput, rows: usize, activation: Activation) -> Vec<f32> {
        if let (Self::Packed(up), Self::Packed(gate)) = (self, gate) {
            let mut out = vec![0.0; rows * self.dims()[1]];
            gate.project_gated(up, x, &mut out, activation);
            return out;
        }
        let mut out = gate.forward(x, rows);
        gate_rows(&mut out, Some(&self.forward(x, rows)), activation);
        out
    }
}

/// Rows as layers read them, normalised where there is a norm: rounded where all of them multiply integers.
pub(super) fn input<'a>(x: &[f32], norm: Option<&RowNorm>, readers: impl IntoIterator<Item = &'a Linear>) -> LinearInput {
    if let Some(norm) = norm
        && readers.into_iter().all(Linear::multiplies_integers)
    {
        return LinearInput::Quantized(norm.quantize(x));
    }
    let mut x = x.to_vec();
    if let Some(norm) = norm {
        norm.apply(&mut x);
    }
    LinearInput::Float(x)
}

/// Numbers between -1/16 and 1/16 without a pattern, so that hidden states stay small through many layers and tokens differ.
pub(super) fn noise(count: usize) -> Vec<f32> {
    let number = |place: u32| {
        let mixed = (place ^ (place >> 16)).wrapping_mul(0x85eb_ca6b);
        let mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0xc2b2_ae35);
        ((mixed ^ (mixed >> 16)) >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|place| number(place as u32) / 16.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_multiply_the_same_weights() {
        let x = noise(3 * 64);
        let forward = |quant, layout| Linear::new([64, 48], true, quant, layout).forward(&LinearInput::Float(x.clone()), 3);
        let weights = noise(64 * 48);
        let expected: Vec<f32> =
            (0..3 * 48).map(|place| (0..64).map(|k| x[place / 48 * 64 + k] * weights[place % 48 * 64 + k]).sum()).collect();
        let kinds = [None, Some(Quant::Bf16), Some(Quant::Int8), Some(Quant::Int4)];
        for (kind, tolerance) in kinds.into_iter().zip([1e-6, 1e-3, 1e-3, 1e-2]) {
            for (out, expected) in forward(kind, WeightLayout::OutputFirst).iter().zip(&expected) {
                assert!((out - expected).abs() < tolerance, "{out} and {expected}");
            }
        }
        assert_eq!(Linear::new([64, 48], false, None, WeightLayout::InputFirst).dims(), [64, 48]);
        assert_eq!(Linear::new([64, 48], false, Some(Quant::Int8), WeightLayout::InputFirst).dims(), [64, 48]);
    }

    #[test]
    fn gates_and_sums_are_those_of_the_parts() {
        for quant in [None, Some(Quant::Int8)] {
            let layer = || Linear::new([64, 32], false, quant, WeightLayout::InputFirst);
            let x = LinearInput::Float(noise(2 * 64));
            let plain = layer().forward(&x, 2);
            let mut onto = vec![1.0; 64];
            layer().forward_onto(&x, 2, &mut onto);
            let gated = layer().forward_gated(&layer(), &x, 2, Activation::Relu);
            for ((plain, onto), gated) in plain.iter().zip(onto).zip(gated) {
                assert!((plain + 1.0 - onto).abs() < 1e-5 && (plain.max(0.0) * plain - gated).abs() < 1e-5);
            }
        }
    }
}
