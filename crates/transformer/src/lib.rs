#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

mod attention;
pub mod chat_template;
pub mod collective;
#[cfg(feature = "train")]
pub mod corpus;
mod decoder;
mod encoder;
mod error;
pub mod generate;
mod gguf;
mod lora;
pub mod paged;
mod position;
pub mod quantize;
mod rng;
mod seq2seq;
mod tokenizer;
#[cfg(feature = "train")]
pub mod train;
mod weights;

pub use attention::{Attended, AttentionBias, KvCache, MultiHeadAttention, MultiHeadAttentionConfig, Sequences, Visibility};
pub use burn::tensor::{Device, Tensor};
pub use decoder::{
    Activation, CausalModel, Decoder, DecoderConfig, DecoderStates, FeedForward, Norm, NormKind, NormPlacement, Projection, SlidingLayers,
};
pub use encoder::{
    Bert, BertClassifier, BertClassifierConfig, BertConfig, ClassificationHead, ClassificationHeadConfig, CrossEncoder, Pooler,
    PoolerActivation, Pooling, SelfAttention, SelfAttentionConfig, SentenceEncoder, SequenceClassifier, TokenBatch, l2_normalize,
};
pub use error::{Error, Result};
pub use jarre_kernels::Precision;
pub use lora::{LoraConfig, LoraPair};
pub use position::{Positions, Rope, RopeConfig, RopeLayout, RopeScaling, Rotation, alibi_slopes, sinusoidal_table};
pub use seq2seq::{Conditioned, EncodedSource, Seq2Seq, Seq2SeqCache, Seq2SeqConfig, Seq2SeqModel, Seq2SeqStates};
pub use tokenizer::Tokenizer;
#[cfg(feature = "hub")]
pub use weights::hub_folder;
pub use weights::int8;
