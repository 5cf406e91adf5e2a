//! The encoder-decoder: one sequence in, another out.

mod cache;
mod conditioned;
mod config;
mod layer;
mod marian;
mod model;
mod names;
mod positions;
mod states;
mod translation;

pub use cache::Seq2SeqCache;
pub use conditioned::Conditioned;
pub use config::Seq2SeqConfig;
pub use model::Seq2Seq;
pub use states::{EncodedSource, Seq2SeqStates};
pub use translation::Seq2SeqModel;
