use super::Inputs;
use crate::Bf16Weights;
use crate::packed::{Epilogue, Int4Weights, Int8Weights, PackedMatrix};

/// Weights `[outputs, inputs]` of a linear layer, packed for the kernels of the host.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PackedWeights {
    /// Eight bits, one scale for each output.
    Int8(Int8Weights),
    /// Four bits in groups.
    Int4(Int4Weights),
    /// Sixteen bits; inputs are rounded to bfloat16 too, whatever [`Inputs`] says.
    Bf16(Bf16Weights),
}

impl PackedWeights {
    /// `[outputs, inputs]`.
    pub fn shape(&self) -> [usize; 2] {
        match self {
            Self::Int8(weights) => [weights.outputs(), weights.inputs()],
            Self::Int4(weights) => [weights.outputs(), weights.inputs()],
            Self::Bf16(weights) => weights.shape(),
        }
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Int8(weights) => weights.bytes(),
            Self::Int4(weights) => weights.bytes(),
            Self::Bf16(weights) => weights.bytes(),
        }
    }

    /// The weights in f32, `[outputs, inputs]`.
    pub fn dequantize(&self) -> Vec<f32> {
        match self {
            Self::Int8(weights) => weights.dequantize(),
            Self::Int4(weights) => weights.dequantize(),
            Self::Bf16(weights) => weights.dequantize(),
        }
    }

    /// Rows `x` `[m, inputs]` times the weights, through the epilogue, to `out` `[m, outputs]`.
    ///
    /// # Panics
    /// Where the sizes do not fit each other.
    pub fn matmul(&self, inputs: Inputs, x: &[f32], out: &mut [f32], epilogue: &Epilogue<'_>) {
        match (self, inputs) {
            (Self::Int8(weights), Inputs::Int8) => weights.matmul(x, out, epilogue),
            (Self::Int8(weights), Inputs::Float) => weights.matmul_f32(x, out, epilogue),
            (Self::Int4(weights), Inputs::Int8) => weights.matmul(x, out, epilogue),
            (Self::Int4(weights), Inputs::Float) => weights.matmul_f32(x, out, epilogue),
            (Self::Bf16(weights), _) => weights.matmul_through(x, out, epilogue),
        }
    }
}

impl From<Int8Weights> for PackedWeights {
    fn from(weights: Int8Weights) -> Self {
        Self::Int8(weights)
    }
}

impl From<Int4Weights> for PackedWeights {
    fn from(weights: Int4Weights) -> Self {
        Self::Int4(weights)
    }
}

impl From<Bf16Weights> for PackedWeights {
    fn from(weights: Bf16Weights) -> Self {
        Self::Bf16(weights)
    }
}
