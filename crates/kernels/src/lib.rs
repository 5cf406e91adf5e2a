#![doc = include_str!("../README.md")]
#![expect(clippy::inline_always, reason = "code takes on the vector width of the pass that it is inlined into")]
#![cfg_attr(not(feature = "autodiff"), expect(dead_code, reason = "ways back are taken by gradients alone"))]

mod activation;
mod amx;
mod attention;
mod bf16;
mod cross_entropy;
pub mod flash;
#[cfg(any(feature = "vulkan", feature = "cuda"))]
pub mod gpu;
mod host;
pub mod kv;
mod linear;
mod math;
mod matrix;
mod norm;
mod optim;
pub mod packed;
mod packed_linear;
mod rope;
mod row_norm;
mod rows;
#[cfg(test)]
mod samples;
mod softmax;
mod top_k;
#[cfg(target_arch = "x86_64")]
mod transpose_x86;

pub use activation::{Activation, activate, activate_biased, gate_rows, gated};
pub use attention::{AttentionMask, attend_rows, attention, attention_scores, mix_values, self_attention};
pub use bf16::{Bf16Weights, supported as bf16_supported};
pub use cross_entropy::{TargetSettings, cross_entropy};
pub use host::{host_values, on_host};
pub use linear::{Precision, WeightLayout, linear};
pub use norm::{AddNorm, add_norm, layer_norm, rms_norm};
pub use optim::{AdamWStep, adamw, squared_sum};
pub use packed_linear::{Inputs, LinearInput, PackedLinear, PackedWeights};
pub use rope::{RopePairs, Rotation, rope};
pub use row_norm::RowNorm;
pub use softmax::{ScoreSettings, attention_weights, padded_softmax};
pub use top_k::top_k;
