//! The way from a burn tensor to slices of host memory and back, with a gradient where one is wanted.
//!
//! An operation over slices is a [`HostOp`]: what it computes, what it keeps, and how a gradient goes back through it. One extension of
//! burn's backends runs all of them, on Flex and on Flex with autodiff.

use std::fmt::Debug;

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, TensorMetadata, backend_extension};
use burn::tensor::{DType, Device, Shape, Tensor, TensorData};

use crate::rows::{copy_rows, edit_rows};

/// An operation on `N` tensors of f32 in host memory.
pub(crate) trait HostOp<const N: usize>: Clone + Debug + Send + Sync + 'static {
    /// The result.
    fn forward(&self, inputs: [FlexTensor; N]) -> FlexTensor;

    /// The result, and what [`backward`](Self::backward) needs. A clone of a tensor shares its values.
    fn forward_keeping(&self, inputs: [FlexTensor; N]) -> (FlexTensor, Vec<FlexTensor>);

    /// Gradients of the inputs from that of the result; one that is not `wanted` need not be made.
    fn backward(&self, kept: Vec<FlexTensor>, gradient: FlexTensor, wanted: [bool; N]) -> [Option<FlexTensor>; N];
}

/// Runs a [`HostOp`].
#[backend_extension(Flex, Autodiff: cfg(feature = "autodiff"))]
pub(crate) trait HostOps: Backend {
    fn unary<O: HostOp<1>>(x: FloatTensor<Self>, op: O) -> FloatTensor<Self>;
    fn binary<O: HostOp<2>>(x: FloatTensor<Self>, y: FloatTensor<Self>, op: O) -> FloatTensor<Self>;
    fn ternary<O: HostOp<3>>(x: FloatTensor<Self>, y: FloatTensor<Self>, z: FloatTensor<Self>, op: O) -> FloatTensor<Self>;
}

impl HostOps for Flex {
    fn unary<O: HostOp<1>>(x: FlexTensor, op: O) -> FlexTensor {
        op.forward([x])
    }

    fn binary<O: HostOp<2>>(x: FlexTensor, y: FlexTensor, op: O) -> FlexTensor {
        op.forward([x, y])
    }

    fn ternary<O: HostOp<3>>(x: FlexTensor, y: FlexTensor, z: FlexTensor, op: O) -> FlexTensor {
        op.forward([x, y, z])
    }
}

/// Whether tensors on `device` are in host memory and operations on them are passes over it, split over the threads of rayon.
pub fn on_host(device: &Device) -> bool {
    device.clone().without_autodiff() == Device::flex()
}

/// The values of a tensor in order, as f32: taken over where nobody else holds them, copied otherwise.
///
/// # Panics
/// Where the device fails.
pub fn host_values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().convert::<f32>().try_into_vec().expect("it was converted to f32")
}

/// Whether `x` is f32 in host memory, so that a [`HostOp`] can take it, with a gradient where it has one.
pub(crate) fn takes<const D: usize>(x: &Tensor<D>) -> bool {
    let device = x.device();
    x.dtype() == DType::F32 && (cfg!(feature = "autodiff") || !device.is_autodiff()) && on_host(&device)
}

/// `x`, which [`takes`] accepts, without its gradient and in order.
pub(crate) fn detached<const D: usize>(x: Tensor<D>) -> FlexTensor {
    let x = if x.device().is_autodiff() { x.inner() } else { x };
    in_order(x.try_into_primitive::<Flex>().expect("it is on the host"))
}

/// The values of `x`, copied in order where they lie otherwise.
pub(crate) fn in_order(x: FlexTensor) -> FlexTensor {
    if x.as_slice::<f32>().is_some() { x } else { x.to_contiguous() }
}

/// The values of a tensor that [`in_order`] gave.
pub(crate) fn values(x: &FlexTensor) -> &[f32] {
    x.as_slice().expect("it holds f32 in order")
}

/// A tensor of `values`.
pub(crate) fn tensor(values: Vec<f32>, shape: Shape) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// The values of `x`, which are taken over where nobody else holds them.
pub(crate) fn into_values(x: FlexTensor) -> Vec<f32> {
    x.into_data().try_into_vec().expect("it holds f32")
}

/// A tensor that [`takes`] accepts and that has no gradient, with `edit` run on every row of `width` values.
pub(crate) fn edit_tensor<const D: usize>(x: Tensor<D>, width: usize, edit: impl Fn(usize, &mut [f32]) + Sync) -> Tensor<D> {
    let device = x.device();
    let mut data = x.into_data();
    edit_rows(data.as_mut_slice::<f32>().expect("it holds f32"), width, edit);
    Tensor::from_data(data, &device)
}

/// `x` with `edit` run on every row of `width` values: in place where nobody else holds them, in a copy otherwise.
pub(crate) fn edited(x: FlexTensor, width: usize, edit: impl Fn(usize, &mut [f32]) + Sync) -> FlexTensor {
    let mut x = in_order(x);
    let whole = x.storage::<f32>().len() == x.layout().num_elements();
    match x.try_storage_mut::<f32>() {
        Some(values) if whole => edit_rows(values, width, edit),
        _ => {
            let copy = copy_rows(values(&x), width, edit);
            x = tensor(copy, x.shape());
        }
    }
    x
}

#[cfg(feature = "autodiff")]
mod gradients {
    use burn::backend::Autodiff;
    use burn::backend::autodiff::checkpoint::base::Checkpointer;
    use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};

    use super::{Debug, Flex, FlexTensor, FloatTensor, HostOp, HostOps, in_order};

    type Tracked = FloatTensor<Autodiff<Flex>>;

    impl<C: CheckpointStrategy> HostOps for Autodiff<Flex, C> {
        fn unary<O: HostOp<1>>(x: FloatTensor<Self>, op: O) -> FloatTensor<Self> {
            tracked::<C, O, 1>([x], &op)
        }

        fn binary<O: HostOp<2>>(x: FloatTensor<Self>, y: FloatTensor<Self>, op: O) -> FloatTensor<Self> {
            tracked::<C, O, 2>([x, y], &op)
        }

        fn ternary<O: HostOp<3>>(x: FloatTensor<Self>, y: FloatTensor<Self>, z: FloatTensor<Self>, op: O) -> FloatTensor<Self> {
            tracked::<C, O, 3>([x, y, z], &op)
        }
    }

    fn tracked<C: CheckpointStrategy, O: HostOp<N>, const N: usize>(inputs: [Tracked; N], op: &O) -> Tracked {
        let nodes = inputs.each_ref().map(Tracked::node);
        let inputs = inputs.map(Tracked::into_primitive);
        match Step(op.clone()).prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (output, kept) = op.forward_keeping(inputs.map(in_order));
                prepared.finish(kept, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(op.forward(inputs)),
        }
    }

    /// The node of an operation in the graph.
    #[derive(Debug)]
    struct Step<O>(O);

    impl<O: HostOp<N>, const N: usize> Backward<Flex, N> for Step<O> {
        type State = Vec<FlexTensor>;

        fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
            let gradient = in_order(gradients.consume::<Flex>(&ops.node));
            let wanted = ops.parents.each_ref().map(Option::is_some);
            let results = self.0.backward(ops.state, gradient, wanted);
            for (parent, result) in ops.parents.into_iter().zip(results) {
                if let (Some(parent), Some(result)) = (parent, result) {
                    gradients.register::<Flex>(parent.id, result);
                }
            }
        }
    }
}

/// Short ways to run an operation on tensors that [`takes`] accepts.
pub(crate) mod run {
    use burn::backend::Dispatch;

    use super::{HostOp, HostOps, Tensor};

    pub(crate) fn unary<const A: usize, const R: usize>(x: Tensor<A>, op: impl HostOp<1>) -> Tensor<R> {
        Tensor::from_dispatch(<Dispatch as HostOps>::unary(x.into_dispatch(), op))
    }

    pub(crate) fn binary<const A: usize, const B: usize, const R: usize>(x: Tensor<A>, y: Tensor<B>, op: impl HostOp<2>) -> Tensor<R> {
        Tensor::from_dispatch(<Dispatch as HostOps>::binary(x.into_dispatch(), y.into_dispatch(), op))
    }

    pub(crate) fn ternary<const A: usize, const B: usize, const C: usize, const R: usize>(
        (x, y, z): (Tensor<A>, Tensor<B>, Tensor<C>),
        op: impl HostOp<3>,
    ) -> Tensor<R> {
        Tensor::from_dispatch(<Dispatch as HostOps>::ternary(x.into_dispatch(), y.into_dispatch(), z.into_dispatch(), op))
    }
}
