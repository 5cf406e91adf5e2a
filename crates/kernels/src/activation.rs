//! Nonlinearities of feed-forward networks, with what stands beside them in one pass.

use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, gelu_approximate, relu, silu};

use crate::host::{self, HostOp, edited, in_order, run, values};
use crate::math;
use crate::rows::{VALUES_PER_TASK, edit_rows};

/// A function of every value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activation {
    /// Gaussian error linear unit with the error function ([Hendrycks and Gimpel 2016](https://arxiv.org/abs/1606.08415)).
    Gelu,
    /// Its form with the hyperbolic tangent.
    GeluTanh,
    /// `x sigmoid(x)`.
    Silu,
    /// `max(x, 0)`.
    Relu,
}

/// `act(x)`.
///
/// # Shapes
/// - input and output: `[...]`
pub fn activate<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    if host::takes(&x) {
        return run::unary(x, Activate(activation));
    }
    match activation {
        Activation::Gelu => gelu(x),
        Activation::GeluTanh => gelu_approximate(x),
        Activation::Silu => silu(x),
        Activation::Relu => relu(x),
    }
}

/// `act(gate) * up`: the middle of a gated feed-forward network ([Shazeer 2020](https://arxiv.org/abs/2002.05202)).
///
/// # Shapes
/// - gate and up: of one shape, which is the output's
///
/// # Panics
/// Where the shapes differ.
pub fn gated<const D: usize>(gate: Tensor<D>, up: Tensor<D>, activation: Activation) -> Tensor<D> {
    assert_eq!(gate.shape(), up.shape(), "a gate is of the shape of what it gates");
    if host::takes(&gate) {
        return run::binary(gate, up, Gated(activation));
    }
    activate(gate, activation) * up
}

/// `act(x + bias)`.
///
/// # Shapes
/// - x: `[rows, d]`, bias: `[d]`
/// - output: `[rows, d]`
pub fn activate_biased(x: Tensor<2>, bias: Tensor<1>, activation: Activation) -> Tensor<2> {
    if !host::takes(&x) || x.device().is_autodiff() {
        return activate(x + bias.unsqueeze(), activation);
    }
    let bias = host::host_values(bias);
    host::edit_tensor(x, bias.len(), |_, row| {
        for (x, b) in row.iter_mut().zip(&bias) {
            *x += b;
        }
        activation.edit(row);
    })
}

/// `gate = act(gate) * up` in place, of rows in host memory; `act(gate)` alone where there is no `up`.
///
/// # Panics
/// Where the sizes differ.
pub fn gate_rows(gate: &mut [f32], up: Option<&[f32]>, activation: Activation) {
    /// Long enough for vectors.
    const BLOCK: usize = 64;
    assert!(up.is_none_or(|up| up.len() == gate.len()), "a gate is of the size of what it gates");
    let edit = |at: usize, block: &mut [f32]| {
        activation.edit(block);
        if let Some(up) = up {
            block.iter_mut().zip(&up[at..]).for_each(|(x, up)| *x *= up);
        }
    };
    let whole = gate.len() / BLOCK * BLOCK;
    let (blocks, rest) = gate.split_at_mut(whole);
    edit_rows(blocks, BLOCK, |index, block| edit(index * BLOCK, block));
    edit(whole, rest);
}

impl Activation {
    #[inline(always)]
    pub(crate) fn edit(self, row: &mut [f32]) {
        match self {
            Self::Gelu => row.iter_mut().for_each(|x| *x = math::gelu(*x)),
            Self::GeluTanh => row.iter_mut().for_each(|x| *x = math::gelu_tanh(*x)),
            Self::Silu => row.iter_mut().for_each(|x| *x = math::silu(*x)),
            Self::Relu => row.iter_mut().for_each(|x| *x = x.max(0.0)),
        }
    }

    /// Multiplies `gradient` by the slopes at `x`.
    #[inline(always)]
    fn pull_back(self, gradient: &mut [f32], x: &[f32]) {
        let pairs = gradient.iter_mut().zip(x);
        match self {
            Self::Gelu => pairs.for_each(|(g, x)| *g *= math::gelu_slope(*x)),
            Self::GeluTanh => pairs.for_each(|(g, x)| *g *= math::gelu_tanh_slope(*x)),
            Self::Silu => pairs.for_each(|(g, x)| *g *= math::silu_slope(*x)),
            Self::Relu => pairs.for_each(|(g, x)| *g = if *x > 0.0 { *g } else { 0.0 }),
        }
    }
}

/// `edit` over blocks of values instead of rows: the index is that of the block's first value.
fn edit_blocks(x: FlexTensor, edit: impl Fn(usize, &mut [f32]) + Sync) -> FlexTensor {
    /// Divides a task's values and is long enough for vectors.
    const BLOCK: usize = 64;
    const { assert!(VALUES_PER_TASK.is_multiple_of(BLOCK)) };
    let count = x.layout().num_elements();
    let width = if count.is_multiple_of(BLOCK) { BLOCK } else { 1 };
    edited(x, width, |index, block| edit(index * width, block))
}

#[derive(Clone, Debug)]
struct Activate(Activation);

impl HostOp<1> for Activate {
    fn forward(&self, [x]: [FlexTensor; 1]) -> FlexTensor {
        edit_blocks(x, |_, block| self.0.edit(block))
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 1]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs.clone()), inputs.to_vec())
    }

    fn backward(&self, kept: Vec<FlexTensor>, gradient: FlexTensor, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        let x = values(&kept[0]);
        [Some(edit_blocks(gradient, |start, block| self.0.pull_back(block, &x[start..start + block.len()])))]
    }
}

#[derive(Clone, Debug)]
struct Gated(Activation);

impl HostOp<2> for Gated {
    fn forward(&self, [gate, up]: [FlexTensor; 2]) -> FlexTensor {
        let up = in_order(up);
        let up = values(&up);
        edit_blocks(gate, |start, block| {
            self.0.edit(block);
            multiply(block, &up[start..]);
        })
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 2]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs.clone()), inputs.to_vec())
    }

    fn backward(&self, mut kept: Vec<FlexTensor>, gradient: FlexTensor, _wanted: [bool; 2]) -> [Option<FlexTensor>; 2] {
        let up = kept.pop().expect("gate and up were kept");
        let gate = kept.pop().expect("gate and up were kept");
        let of_gate = {
            let (gate, up) = (values(&gate), values(&up));
            edit_blocks(gradient.clone(), |start, block| {
                self.0.pull_back(block, &gate[start..]);
                multiply(block, &up[start..]);
            })
        };
        let of_up = {
            let gradient = values(&gradient);
            edit_blocks(gate, |start, block| {
                self.0.edit(block);
                multiply(block, &gradient[start..]);
            })
        };
        [Some(of_gate), Some(of_up)]
    }
}

#[inline(always)]
fn multiply(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x *= y;
    }
}
