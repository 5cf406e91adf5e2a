use burn::nn::Linear;
use burn::tensor::Tensor;
use jarre_kernels::packed::Int8Weights;
use jarre_kernels::{Inputs, PackedLinear, host_values};

/// The linear layers of an encoder's layer with weights in eight bits. Biases of `qkv` and `up` are in them; the others are added by
/// what comes after.
#[derive(Clone, Debug)]
pub(crate) struct PackedLayer {
    pub(super) qkv: PackedLinear,
    pub(super) output: PackedLinear,
    pub(super) up: PackedLinear,
    pub(super) down: PackedLinear,
}

/// The weights of `linear`, `[inputs, outputs]`, packed.
pub(super) fn pack(linear: &Linear) -> PackedLinear {
    let weight = linear.weight.val();
    let [inputs, outputs] = weight.dims();
    PackedLinear::new(Int8Weights::quantize(&host_values(weight.transpose()), outputs, inputs), Inputs::Int8)
}

/// `x W`, without the bias.
pub(super) fn product(x: Tensor<2>, linear: &Linear, packed: Option<&PackedLinear>) -> Tensor<2> {
    match packed {
        Some(packed) => packed.forward(x),
        None => x.matmul(linear.weight.val()),
    }
}
