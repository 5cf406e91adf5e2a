//! Kernels for graphics processors, in [CubeCL](https://github.com/tracel-ai/cubecl): one source for Vulkan, CUDA and the rest.
//!
//! Functions here take buffers of a `CubeCL` client, contiguous and row-major. They put work on the device's queue and return at once.

mod buffer;
mod codes;
mod extension;
mod fallback;
mod gemm;
mod gemv;
mod matmul;
mod merge;
mod paged;
mod paged_launch;
mod tensors;
#[cfg(all(test, feature = "vulkan"))]
mod tensors_tests;

#[cfg(all(test, feature = "vulkan"))]
mod matmul_tests;
#[cfg(all(test, feature = "vulkan"))]
mod paged_tests;
#[cfg(all(test, feature = "vulkan"))]
mod testing;

pub use buffer::Buffer;
pub use codes::CodeFormat;
pub use matmul::{PackedMatrix, matmul, w4a16_matmul, w8a16_matmul};
pub use paged_launch::{PagedCache, PagedSettings, PagedShape, paged_decode_attention};
pub use tensors::{paged_decode, w4a16_linear, w8a16_linear};
