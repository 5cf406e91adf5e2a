//! An encoder that remembers: questions are asked of many systems, and most chunkers leave a short text as it is.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use jarre_core::{Embedder, EmbedderInfo, Embeddings, Result, TokenCounter};
use jarre_rag::SentenceEncoder;

/// Encodes each text once.
pub(crate) struct Memo {
    encoder: Arc<SentenceEncoder>,
    vectors: Mutex<HashMap<String, Vec<f32>>>,
}

impl Memo {
    pub(crate) fn new(encoder: Arc<SentenceEncoder>) -> Arc<Self> {
        Arc::new(Self { encoder, vectors: Mutex::default() })
    }
}

impl Embedder for Memo {
    fn info(&self) -> &EmbedderInfo {
        self.encoder.info()
    }

    fn embed(&self, texts: &[&str]) -> Result<Embeddings> {
        // A panic while the lock was held left whole vectors behind, at worst fewer of them.
        let mut vectors = self.vectors.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = HashSet::new();
        let new: Vec<&str> = texts.iter().copied().filter(|text| !vectors.contains_key(*text) && seen.insert(*text)).collect();
        let encoded = self.encoder.embed(&new)?;
        vectors.extend(new.iter().zip(encoded.rows()).map(|(text, vector)| ((*text).to_owned(), vector.to_vec())));
        let rows = texts.iter().flat_map(|text| vectors[*text].iter().copied()).collect();
        Embeddings::new(self.info().dims, rows)
    }
}

impl TokenCounter for Memo {
    fn token_spans(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        self.encoder.token_spans(text)
    }
}
