//! Low-rank adapters ([Hu et al. 2021](https://arxiv.org/abs/2106.09685)) beside the projections of a decoder, in PEFT's format on disk.

mod adapter;
mod pair;
mod peft;

pub use adapter::LoraConfig;
pub(crate) use adapter::TARGETS;
pub use pair::LoraPair;
