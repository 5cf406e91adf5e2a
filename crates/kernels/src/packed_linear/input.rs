//! Layers over rows in host memory, several of which read the same rows.

use super::{Inputs, PackedLinear, PackedWeights};
use crate::packed::{Epilogue, PackedMatrix, QuantizedRows};
use crate::{Activation, gate_rows};

/// Rows `[m, k]` as layers read them: rounded to eight bits once for all layers that multiply integers, or as they are.
#[derive(Clone, Debug)]
pub enum LinearInput {
    /// As they are.
    Float(Vec<f32>),
    /// Rounded; only layers that [multiply integers](PackedLinear::multiplies_integers) read it.
    Quantized(QuantizedRows),
}

impl PackedLinear {
    /// Whether the layer rounds its inputs to eight bits, so that it can share rounded ones with others.
    pub fn multiplies_integers(&self) -> bool {
        self.inputs == Inputs::Int8 && !matches!(*self.weights, PackedWeights::Bf16(_))
    }

    /// `x W^T + b` of rows in host memory to `out` `[m, outputs]`, or added to what stands there where `onto` says so. Both kinds of input
    /// give the same bits.
    ///
    /// # Panics
    /// Where the sizes do not fit each other, and for rounded rows where the layer does not multiply integers.
    pub fn project(&self, x: &LinearInput, out: &mut [f32], onto: bool) {
        let epilogue = if onto { self.epilogue().onto_output() } else { self.epilogue() };
        self.write(x, out, &epilogue);
    }

    /// `act(x W^T + b)` of rows in host memory to `out` `[m, outputs]`: [`project`](Self::project) and the function in one pass.
    ///
    /// # Panics
    /// As [`project`](Self::project).
    pub fn project_activated(&self, x: &LinearInput, out: &mut [f32], activation: Activation) {
        self.write(x, out, &self.epilogue().with_activation(activation));
    }

    fn write(&self, x: &LinearInput, out: &mut [f32], epilogue: &Epilogue<'_>) {
        match (x, &*self.weights) {
            (LinearInput::Float(x), weights) => weights.matmul(self.inputs, x, out, epilogue),
            (LinearInput::Quantized(x), PackedWeights::Int8(weights)) => weights.matmul_quantized(x, out, epilogue),
            (LinearInput::Quantized(x), PackedWeights::Int4(weights)) => weights.matmul_quantized(x, out, epilogue),
            (LinearInput::Quantized(_), PackedWeights::Bf16(_)) => panic!("weights in bfloat16 do not multiply integers"),
        }
    }

    /// Adds the bias, where there is one.
    pub(super) fn epilogue(&self) -> Epilogue<'_> {
        self.bias().map_or_else(Epilogue::default, |bias| Epilogue::default().with_bias(bias))
    }

    /// `act(x G^T + g) * (x U^T + u)` with this layer as the gate `G`, to `out` `[m, outputs]`: in one pass over the rows where both are
    /// packed alike and have no biases.
    ///
    /// # Panics
    /// As [`project`](Self::project).
    pub fn project_gated(&self, up: &Self, x: &LinearInput, out: &mut [f32], activation: Activation) {
        let plain = self.bias.is_none() && up.bias.is_none();
        match (x, &*self.weights, &*up.weights) {
            (LinearInput::Quantized(x), PackedWeights::Int8(gate), PackedWeights::Int8(up)) if plain => {
                gate.matmul_gated(up, x, out, activation);
            }
            (LinearInput::Quantized(x), PackedWeights::Int4(gate), PackedWeights::Int4(up)) if plain && gate.group() == up.group() => {
                gate.matmul_gated(up, x, out, activation);
            }
            _ => {
                let mut other = vec![0.0; out.len()];
                self.project(x, out, false);
                up.project(x, &mut other, false);
                gate_rows(out, Some(&other), activation);
            }
        }
    }
}
