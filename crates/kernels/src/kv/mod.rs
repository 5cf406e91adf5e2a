//! A cache of keys and values in blocks, and attention of sequences that lie in it.
//!
//! A batch mixes chunks of prompts and single tokens ([`RaggedBatch`]). Keys are taken in spans of 512 positions that begin at multiples of
//! it. Softmax is closed over each span, and spans are merged from the first to the last, as Dao et al., "Flash-Decoding for long-context
//! inference", 2023, do it to have all cores at work on one long sequence. Here every row is computed so: a row's bits depend on its query,
//! the keys that it sees and their positions, and on the instruction set; not on how a prompt was cut into chunks, the sequences beside it,
//! the blocks that hold its keys, or the number of threads. (Where the value of a key that a row does not see is infinite or no number, it
//! may show in rows of the same chunk before those that see it.)
//!
//! ```
//! use jarre_kernels::kv::{KvCache, KvShape, KvType, RaggedBatch, Settings, ragged_attention};
//!
//! let mut cache = KvCache::new(KvShape { blocks: 8, block_size: 2, kv_heads: 1, head_dim: 2 }, KvType::F32);
//! // Three positions of one sequence, in blocks 5 and 0.
//! cache.write(&[10, 11, 0], &[0.0; 6], &[1.0, 1.0, 2.0, 2.0, 3.0, 6.0]);
//! let batch = RaggedBatch { query_starts: &[0, 1], block_tables: &[&[5, 0]], context_lens: &[3] };
//! let mut out = [0.0; 2];
//! ragged_attention(&cache, &[1.0, 1.0], &batch, Settings::default(), &mut out, None);
//! assert_eq!(out, [2.0, 3.0]);
//! ```

mod aligned;
mod attention;
mod batch;
mod cache;
#[cfg(test)]
mod cache_tests;
mod element;
mod kernel;
mod merge;
mod plan;
mod record;
mod simd;
#[cfg(target_arch = "x86_64")]
mod simd_x86;
mod table;
#[cfg(test)]
mod tests;
mod write;

pub use attention::{ragged_attention, ragged_attention_in};
pub use batch::{RaggedBatch, Settings};
pub use cache::{KvCache, KvShape, KvType};
pub use merge::{Partial, merge_partials};
