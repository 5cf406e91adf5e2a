//! Products of matrices with packed weights of 8 and 4 bits, on the processor's integer instructions.
//!
//! [`Int8Weights`] and [`Int4Weights`] hold one linear layer, packed once, and are a [`PackedMatrix`]; [`QuantizedRows`] hold its inputs, quantised row by row when they come. Integer sums
//! are exact and every number after them is computed by the same operations in the same order, so a row's result has the same bits
//! whatever rows stand beside it, however many threads there are, and whichever instructions the processor has.
//!
//! ```
//! use jarre_kernels::packed::{Epilogue, Int8Weights, PackedMatrix};
//!
//! // Two outputs of three inputs.
//! let weights = Int8Weights::quantize(&[1.0, 0.0, -1.0, 0.5, 0.5, 0.5], 2, 3);
//! let mut out = [0.0; 2];
//! weights.matmul(&[3.0, 2.0, 1.0], &mut out, &Epilogue::default());
//! assert!((out[0] - 2.0).abs() < 0.05 && (out[1] - 3.0).abs() < 0.05);
//! ```

mod cpu;
pub(crate) mod disjoint;
mod door;
mod epilogue;
mod floats;
mod int4;
mod int4_amx;
#[cfg(test)]
mod int4_tests;
mod int4_tile;
#[cfg(target_arch = "x86_64")]
mod int4_x86;
mod int8;
mod int8_sums;
mod matmul;
mod matrix;
mod norm;
mod pool;
mod quantized_rows;
#[cfg(test)]
mod tests;
mod tile;
#[cfg(target_arch = "x86_64")]
mod tile_x86;

pub use cpu::Level;
pub use epilogue::Epilogue;
pub use int4::Int4Weights;
pub use int8::Int8Weights;
pub use matmul::Context;
pub use matrix::PackedMatrix;
pub use norm::{layer_norm_quantize, rms_norm_quantize};
pub use pool::{Pool, set_threads};
pub use quantized_rows::{QuantizedRows, largest_magnitudes};
