#![doc = include_str!("../README.md")]
#![doc(test(attr(deny(warnings))))]

pub mod answer;
pub mod chunk;
mod document;
#[cfg(feature = "encoder")]
mod encoder;
mod error;
pub mod index;
pub mod ingest;
mod line;
mod rag;
pub mod retrieve;
mod sentence;

pub use answer::{Answer, Answerer, ChatAnswerer, Citation, Extractive, Passages, Verdict};
pub use chunk::{Chunk, ChunkId, Chunker};
pub use document::{Block, BlockKind, DocId, Document, Format, Span};
#[cfg(feature = "encoder")]
pub use encoder::load_encoder;
pub use error::{Error, Result};
#[cfg(feature = "encoder")]
pub use jarre_transformer::SentenceEncoder;
pub use rag::{Rag, RagBuilder, Reply, Report};
pub use sentence::sentences;
