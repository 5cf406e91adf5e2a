#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod awq;
mod calibration;
pub mod checkpoint;
mod cholesky;
mod comparison;
mod error;
pub mod gguf;
mod gptq;
mod int4;
mod int8;
mod smooth_quant;
mod whole;

pub use awq::{Awq, ScaledInt4};
pub use calibration::Calibration;
pub use comparison::Comparison;
pub use error::{Error, Result};
pub use gptq::Gptq;
pub use int4::{Grid, Int4Groups, Int4Scheme};
pub use int8::Int8Rows;
pub use smooth_quant::SmoothQuant;
