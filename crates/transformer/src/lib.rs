#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod attention;
mod batch;
mod bert;
mod error;
mod folder;
mod fused;
#[cfg(feature = "hub")]
mod hub;
pub mod int8;
mod load;
mod pooling;
mod sentence_encoder;
mod tokenizer;
mod weights;

pub use attention::{SelfAttention, SelfAttentionConfig};
pub use batch::TokenBatch;
pub use bert::{Bert, BertConfig};
pub use burn::tensor::Device;
pub use error::{Error, Result};
pub use pooling::{Pooling, l2_normalize};
pub use sentence_encoder::SentenceEncoder;
pub use tokenizer::Tokenizer;
