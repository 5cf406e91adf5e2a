//! One suite a contract. An implementer calls it from a test; it panics with the sentence of the contract that is broken.
//!
//! ```
//! use jarre_core::testing::{HashEmbedder, contract};
//!
//! contract::embedder(&HashEmbedder::default());
//! ```

mod chat;
mod run;
mod text;

pub use chat::{CHAT_MODEL_CALLS, chat_model, chat_sampling};
pub use run::{clock, metric_sink, tool};
pub use text::{embedder, reranker, text_classifier, token_counter};
