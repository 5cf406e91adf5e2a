//! Text for training language models: documents, tokenizers, token shards on disk, and batches that can be taken up again at any step.
//!
//! | item | what it is |
//! | --- | --- |
//! | [`DocumentSource`], [`Documents`], [`Document`] | text, source and JSON-lines files and folders of them, one document at a time |
//! | [`Split`], [`Parts`] | training and validation by the hash of a document, or by position in a text |
//! | [`BpeConfig`], [`CharacterConfig`] | tokenizers made from documents: byte-level BPE, or single characters |
//! | [`TextTokenizer`] | `tokenizer.json` for whole documents |
//! | [`Corpus`], [`CorpusConfig`], [`Statistics`], [`Progress`] | all of it in a folder: built once, checked, never half there |
//! | [`Shard`], [`TokenStream`] | tokens on disk, read by position, with the ends of documents |
//! | [`BatchConfig`], [`Order`], [`BatchSource`], [`Batch`], [`IGNORED_TARGET`] | rows with targets and documents, as a function of seed and step |
//!
//! ```
//! # use {jarre_transformer::corpus::{BatchConfig, BpeConfig, TokenStream}, std::sync::Arc};
//! let texts = ["one fish two fish", "red fish blue fish", "this one has a little star"];
//! let config = BpeConfig::new(270).with_special_tokens(["<|end|>"]);
//! let tokenizer = config.train(texts.into_iter().map(Ok), &mut |_| {})?;
//!
//! let corpus = TokenStream::from_documents(tokenizer.vocab_size() as u32, tokenizer.encode_batch(&texts)?)?;
//! let batches = BatchConfig::new(2, 8).with_seed(1).init(Arc::new(corpus))?;
//! assert_eq!(batches.batch(1000)?, batches.batch(1000)?);
//!
//! // A corpus without room for a row is an error that says how many tokens a row takes.
//! let short = TokenStream::from_documents(10, [[1, 2, 3]])?;
//! assert!(BatchConfig::new(2, 8).init(Arc::new(short)).is_err());
//! # Ok::<(), jarre_transformer::Error>(())
//! ```
//!
//! # Shards
//!
//! A shard is one file: a header with magic number, version, width of a token, counts, the fingerprint of the vocabulary and a checksum;
//! the tokens, of two bytes where the vocabulary has at most 65,536 ids and of four otherwise, little-endian; the end of every document;
//! and a checksum for every mebibyte of tokens. It is written under another name, synced and renamed. The header vouches for the tables and
//! the tables for the tokens, so that opening a shard is cheap and [`Shard::verify`] says which mebibyte is damaged.
//!
//! Shards are read with positioned reads, not mapped into memory. For rows of a few kilobytes both come down to a copy out of the operating
//! system's page cache: what is read often stays in memory, nothing is loaded up front, and processes share it. Mapping would need
//! `unsafe`, and a mapped file that is shortened ends the process with a signal where a read returns an error.

mod batches;
mod bpe;
mod build;
mod characters;
mod cuts;
mod document_file;
mod documents;
mod durable;
mod files;
mod folder;
mod jsonl;
mod manifest;
mod packing;
mod permutation;
mod progress;
mod shard_format;
mod shard_writer;
mod shards;
mod split;
mod stream;
mod text_tokenizer;

pub use batches::{BatchConfig, BatchSource, Order};
pub use bpe::BpeConfig;
pub use build::CorpusConfig;
pub use characters::CharacterConfig;
pub use documents::{Document, DocumentSource, Documents};
pub use folder::Corpus;
pub use manifest::Statistics;
pub use packing::{Batch, IGNORED_TARGET};
pub use progress::Progress;
pub use shards::Shard;
pub use split::{Parts, Split};
pub use stream::TokenStream;
pub use text_tokenizer::TextTokenizer;
