//! GGUF files, the format of llama.cpp and ggml: metadata and tensors in one file, read lazily and written whole or not at all.
//!
//! Specification: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Versions 2 and 3, little-endian.
//!
//! | item | what it is |
//! | --- | --- |
//! | [`GgufFile`] | a file that was opened: header checked, tensors read when asked for, from any thread |
//! | [`Metadata`], [`Value`], [`Array`], [`ValueType`] | keys with typed values, and getters whose errors name the key |
//! | [`TensorInfo`], [`TensorType`] | the directory of tensors, and how their elements are stored |
//! | [`Q8_0Blocks`], [`Q4_0Blocks`] | scales and integers of the two simplest quantised types, for repacking without a detour over `f32` |
//! | [`GgufWriter`] | metadata and tensors to a file, quantised on the way as ggml's reference does |
//! | [`Error`] | what is wrong, in which field and where |
//!
//! ```
//! use jarre_quant::gguf::{GgufFile, GgufWriter, TensorType};
//!
//! let row: Vec<f32> = (0..64).map(|i| i as f32 / 64.0).collect();
//! let mut writer = GgufWriter::new();
//! writer.insert("general.architecture", "llama");
//! writer.insert("llama.block_count", 2_u32);
//! writer.add_tensor("output.weight", &[32, 2], TensorType::Q8_0, &row)?;
//! let mut bytes = Vec::new();
//! writer.write_to(&mut bytes)?;
//!
//! let file = GgufFile::from_bytes(bytes)?;
//! assert_eq!(file.metadata().get_u64("llama.block_count")?, 2);
//! assert!((file.read_f32("output.weight")?[63] - row[63]).abs() < 0.004);
//!
//! // What is missing is named.
//! let error = file.metadata().get_str("general.name").unwrap_err();
//! assert!(error.to_string().contains("`general.name`"));
//! # Ok::<(), jarre_quant::gguf::Error>(())
//! ```
//!
//! # Hostile files
//!
//! Every count, length and offset is checked against the bytes that are left before it is believed. A header has at most
//! [`MAX_HEADER_BYTES`] and becomes at most 16 bytes in memory for each of its own; tensors lie inside the file, do not overlap, and are read
//! one at a time, into at most 8 bytes for each of their own.

mod blocks;
mod cursor;
mod durable;
mod error;
mod header;
mod metadata;
mod reader;
mod source;
mod tensor_info;
mod tensor_type;
mod value;
mod value_codec;
mod writer;

pub use blocks::{Q4_0Blocks, Q8_0Blocks};
pub use cursor::MAX_HEADER_BYTES;
pub use error::{Error, Result};
pub use header::DEFAULT_ALIGNMENT;
pub use metadata::Metadata;
pub use reader::GgufFile;
pub use tensor_info::{MAX_DIMS, TensorInfo};
pub use tensor_type::TensorType;
pub use value::{Array, Value, ValueType};
pub use value_codec::MAX_ARRAY_DEPTH;
pub use writer::GgufWriter;

/// The key under which a file says how its tensors are aligned.
pub const ALIGNMENT_KEY: &str = "general.alignment";

const MAGIC: [u8; 4] = *b"GGUF";
/// The longest metadata key, of the specification.
const MAX_KEY_BYTES: usize = 65_535;
