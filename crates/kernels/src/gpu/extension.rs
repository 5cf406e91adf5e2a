//! The kernels as an extension of burn's `CubeCL` backend.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, DispatchDevice, TensorMetadata, backend_extension};
use burn::tensor::{DType, Device, Int, Shape, Tensor, bf16, f16};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::ir::ElemType;
use cubecl::prelude::Scalar;

use super::buffer::Buffer;
use super::codes::CodeFormat;
use super::matmul::{PackedMatrix, matmul};
use super::paged_launch::{PagedCache, PagedSettings, PagedShape, paged_decode_attention};

/// Operations that have kernels.
#[backend_extension(Cube)]
pub(super) trait GpuOps: Backend {
    fn packed_product(
        x: FloatTensor<Self>,
        words: IntTensor<Self>,
        scales: FloatTensor<Self>,
        zeros: FloatTensor<Self>,
        format: CodeFormat,
    ) -> FloatTensor<Self>;

    fn paged(
        q: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        block_tables: IntTensor<Self>,
        context_lens: IntTensor<Self>,
        settings: PagedSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

impl GpuOps for CubeBackend {
    fn packed_product(x: CubeTensor, words: CubeTensor, scales: CubeTensor, zeros: CubeTensor, format: CodeFormat) -> CubeTensor {
        let (client, device, dtype) = (x.client.clone(), x.device.clone(), x.dtype);
        let ([m, k], [n, _]) = (x.shape().dims(), words.shape().dims());
        let weights =
            PackedMatrix { words: buffer(words), scales: buffer(scales), zeros: format.has_zeros().then(|| buffer(zeros)), format, n, k };
        let output = matmul(&client, &buffer(x), &weights);
        CubeTensor::new_contiguous(client, device, Shape::new([m, n]), output.handle, dtype)
    }

    fn paged(
        q: CubeTensor,
        keys: CubeTensor,
        values: CubeTensor,
        block_tables: CubeTensor,
        context_lens: CubeTensor,
        settings: PagedSettings,
    ) -> (CubeTensor, CubeTensor) {
        let (client, device, dtype) = (q.client.clone(), q.device.clone(), q.dtype);
        let ([sequences, heads, d], [_, block_size, kv_heads, _]) = (q.shape().dims(), keys.shape().dims());
        let [_, max_blocks] = block_tables.shape().dims();
        let shape = PagedShape { sequences, heads, kv_heads, d, block_size, max_blocks };
        let [keys, values, block_tables, context_lens] = [keys, values, block_tables, context_lens].map(buffer);
        let cache = PagedCache { keys, values, block_tables, context_lens };
        let (out, lse) = paged_decode_attention(&client, &buffer(q), &cache, shape, settings);
        let out = CubeTensor::new_contiguous(client.clone(), device.clone(), Shape::new([sequences, heads, d]), out.handle, dtype);
        (out, CubeTensor::new_contiguous(client, device, Shape::new([sequences, heads]), lse.handle, DType::F32))
    }
}

/// Whether tensors of `device` go to the kernels, which have no gradients.
pub(super) fn has_kernels(device: &Device) -> bool {
    matches!(device.as_dispatch(), DispatchDevice::Cube(_)) && !device.is_autodiff()
}

/// `x W^T` by the kernels, on a device that [`has_kernels`].
pub(super) fn packed_product(
    x: Tensor<2>,
    words: Tensor<2, Int>,
    scales: Tensor<2>,
    zeros: Option<Tensor<2>>,
    format: CodeFormat,
) -> Tensor<2> {
    // An extension takes no absent tensors: the scales stand for zero points that the format does not have.
    let zeros = zeros.unwrap_or_else(|| scales.clone()).cast(DType::F32).into_dispatch();
    let scales = scales.cast(DType::F32).into_dispatch();
    Tensor::from_dispatch(<Dispatch as GpuOps>::packed_product(x.into_dispatch(), word_sized(words).into_dispatch(), scales, zeros, format))
}

/// Attention by the kernels, on a device that [`has_kernels`].
pub(super) fn paged(
    q: Tensor<3>,
    [keys, values]: [Tensor<4>; 2],
    block_tables: Tensor<2, Int>,
    context_lens: Tensor<1, Int>,
    settings: PagedSettings,
) -> (Tensor<3>, Tensor<2>) {
    let (tables, lengths) = (word_sized(block_tables).into_dispatch(), word_sized(context_lens).into_dispatch());
    let (q, keys, values) = (q.into_dispatch(), keys.into_dispatch(), values.into_dispatch());
    let (out, lse) = <Dispatch as GpuOps>::paged(q, keys, values, tables, lengths, settings);
    (Tensor::from_dispatch(out), Tensor::from_dispatch(lse))
}

/// Whole numbers of 32 bits, whose sign the kernels do not look at.
fn word_sized<const D: usize>(values: Tensor<D, Int>) -> Tensor<D, Int> {
    if matches!(values.dtype(), DType::U32 | DType::I32) { values } else { values.cast(DType::U32) }
}

/// The memory of a tensor, copied in order where it lies otherwise.
fn buffer(tensor: CubeTensor) -> Buffer {
    let tensor = into_contiguous(tensor);
    Buffer::new(tensor.handle.clone(), tensor.shape().num_elements(), elem(tensor.dtype))
}

/// # Panics
/// For types that the kernels do not take.
fn elem(dtype: DType) -> ElemType {
    match dtype {
        DType::F32 => f32::elem_type_native(),
        DType::F16 => f16::elem_type_native(),
        DType::BF16 => bf16::elem_type_native(),
        DType::I32 | DType::U32 => u32::elem_type_native(),
        other => panic!("kernels take f32, f16, bf16 and whole numbers of 32 bits, not {other:?}"),
    }
}
