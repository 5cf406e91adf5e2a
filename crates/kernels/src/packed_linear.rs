//! Products with packed weights, as burn sees them.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::tensor::{Tensor, TensorData};

use crate::host::{self, HostOp, in_order, run, tensor, values};
use crate::packed::{Epilogue, Int8Weights};

/// `x W^T` with weights in eight bits: each row of `x` is quantised on the way (W8A8).
///
/// On a device other than the host, and where a gradient is wanted, the weights are multiplied out and the inputs are not rounded.
///
/// # Shapes
/// - x: `[rows, inputs]`
/// - output: `[rows, outputs]`
///
/// # Panics
/// Where `x` has another width than the weights.
pub fn packed_linear(x: Tensor<2>, weights: &Arc<Int8Weights>) -> Tensor<2> {
    assert_eq!(x.dims()[1], weights.inputs(), "values of a row and inputs of the weights");
    if host::takes(&x) && !x.device().is_autodiff() {
        return run::unary(x, Product(Arc::clone(weights)));
    }
    let data = TensorData::new(weights.dequantize(), [weights.outputs(), weights.inputs()]);
    let matrix = Tensor::<2>::from_data(data, &x.device());
    x.matmul(matrix.transpose())
}

#[derive(Clone, Debug)]
struct Product(Arc<Int8Weights>);

impl HostOp<1> for Product {
    fn forward(&self, [x]: [FlexTensor; 1]) -> FlexTensor {
        let x = in_order(x);
        let rows = x.shape()[0];
        let mut out = vec![0.0; rows * self.0.outputs()];
        self.0.matmul(values(&x), &mut out, &Epilogue::default());
        tensor(out, [rows, self.0.outputs()].into())
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 1]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs), Vec::new())
    }

    fn backward(&self, _kept: Vec<FlexTensor>, _gradient: FlexTensor, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        unreachable!("inputs with a gradient take the other way")
    }
}
