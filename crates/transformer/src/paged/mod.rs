//! Decoders over a paged cache: one step reads tokens of many sequences, none of them padded, each continuing what blocks of the cache hold.
//!
//! A step is a [`PagedBatch`]: chunks of prompts and single tokens side by side. A row of the step depends on the tokens before it in its
//! sequence and not on what stands beside it, how its prompt was cut, or which blocks hold its keys: with packed weights to the bit, with
//! weights in f32 to the rounding of sums, whose order may change with the number of rows. Everything is computed in host memory.
//!
//! ```
//! use jarre_transformer::paged::{KvType, PagedBatch, PagedDecoder};
//! use jarre_transformer::{DecoderConfig, Device};
//!
//! let decoder = DecoderConfig::new(100, 32, 4, 2, 64).init(&Device::default());
//! let model = PagedDecoder::new(&decoder, 2048)?;
//! let mut cache = model.new_cache(8, 16, KvType::F32);
//! // A prompt of three tokens whose last one's logits are wanted, and a sequence of which one token lies in block 5 already.
//! let batch = PagedBatch {
//!     tokens: &[7, 8, 9, 11],
//!     query_starts: &[0, 3, 4],
//!     context_lens: &[3, 2],
//!     block_tables: &[&[0], &[5]],
//!     adapters: &[],
//!     outputs: &[2, 3],
//! };
//! assert_eq!(model.forward(&mut cache, &batch).len(), 2 * 100);
//! # Ok::<(), jarre_transformer::Error>(())
//! ```

mod adapter;
mod batch;
mod cache;
mod decoder;
mod layer;
mod low_rank;
mod part_reader;
mod reduce;
mod row_linear;
mod shard;
mod shard_config;
mod sharded_decoder;
mod step;

pub use self::adapter::PagedAdapter;
pub use self::batch::PagedBatch;
pub use self::cache::PagedKvCache;
pub use self::decoder::PagedDecoder;
pub use self::shard_config::ShardConfig;
pub use self::sharded_decoder::ShardedDecoder;
pub use jarre_kernels::kv::KvType;
