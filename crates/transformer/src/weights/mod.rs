//! Weights on disk: safetensors, in one file or in shards, in floats of three widths, in eight bits or in four.

mod compressed;
mod file;
mod folder;
mod groups;
#[cfg(feature = "hub")]
mod hub;
pub mod int8;
mod module;
mod new_folder;
mod quantization;
mod save;
mod shard;

pub(crate) use compressed::{PackedRows, Packing, quantization_config};
pub(crate) use file::Weights;
#[cfg(feature = "train")]
pub(crate) use folder::sync_folder;
pub(crate) use folder::{OneOrMany, TOKENIZER, copy_if_there, file_inside, read_json, read_json_if_there};
pub(crate) use groups::GroupFormat;
#[cfg(feature = "hub")]
pub use hub::hub_folder;
#[cfg(feature = "train")]
pub(crate) use module::Paths;
pub(crate) use module::{Layout, Listed, NamedTensor, Naming, Part, Place, TensorSource, collect, expected, fill, fill_at, transpose};
pub(crate) use new_folder::write_new;
pub(crate) use quantization::QuantizationConfig;
#[cfg(feature = "train")]
pub(crate) use save::to_safetensors;
pub(crate) use save::{Stored, write_json, write_safetensors, write_safetensors_as};
