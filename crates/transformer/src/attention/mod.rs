//! Multi-head attention and what it reads: which keys a query sees, and keys and values of earlier tokens.

mod bias;
mod cache;
mod multi_head;
mod sequences;

pub use bias::{AttentionBias, Visibility};
pub use cache::KvCache;
pub use multi_head::{Attended, MultiHeadAttention, MultiHeadAttentionConfig};
pub(crate) use multi_head::{CacheSlot, Placement};
pub use sequences::Sequences;
