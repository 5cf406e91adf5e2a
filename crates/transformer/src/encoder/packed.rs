use std::sync::Arc;

use burn::nn::Linear;
use burn::tensor::Tensor;
use jarre_kernels::packed::Int8Weights;
use jarre_kernels::{host_values, packed_linear};

/// The linear layers of an encoder's layer with weights in eight bits.
#[derive(Clone, Debug)]
pub(crate) struct PackedLayer {
    pub(super) qkv: Arc<Int8Weights>,
    pub(super) output: Arc<Int8Weights>,
    pub(super) up: Arc<Int8Weights>,
    pub(super) down: Arc<Int8Weights>,
}

/// The weights of `linear`, `[inputs, outputs]`, packed.
pub(super) fn pack(linear: &Linear) -> Arc<Int8Weights> {
    let weight = linear.weight.val();
    let [inputs, outputs] = weight.dims();
    Arc::new(Int8Weights::quantize(&host_values(weight.transpose()), outputs, inputs))
}

/// `x W`, without the bias.
pub(super) fn product(x: Tensor<2>, linear: &Linear, packed: Option<&Arc<Int8Weights>>) -> Tensor<2> {
    match packed {
        Some(packed) => packed_linear(x, packed),
        None => x.matmul(linear.weight.val()),
    }
}
