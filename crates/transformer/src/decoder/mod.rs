//! Decoder-only transformers: one description for every family.

mod causal;
mod causal_lm;
mod config;
mod family;
mod feed_forward;
mod layer;
mod llama2c;
mod load;
mod model;
mod names;
mod norm;
mod projection;
mod rope_file;
mod save;
mod save_packed;

pub use causal::CausalModel;
pub use config::{DecoderConfig, NormPlacement, SlidingLayers};
pub(crate) use family::DecoderFolder;
pub use feed_forward::{Activation, FeedForward};
pub(crate) use layer::DecoderLayer;
pub(crate) use load::load;
pub(crate) use model::last_rows;
pub use model::{Decoder, DecoderStates};
pub(crate) use names::DecoderNames;
pub use norm::{Norm, NormKind};
pub use projection::Projection;
pub(crate) use projection::ProjectionConfig;
