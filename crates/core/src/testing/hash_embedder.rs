use std::ops::Range;

use crate::{Embedder, EmbedderInfo, Embeddings, Reranker, Result, TokenCounter};

/// An embedder without a model: words and their character trigrams, hashed into signed buckets (arXiv 0902.2206), L2-normalised.
///
/// Texts that share words or stems are similar, whatever they mean; the same text always gets the same vector, on every machine. It
/// counts words and punctuation marks as tokens, and reranks by cosine similarity.
///
/// ```
/// use jarre_core::{Embedder, testing::HashEmbedder};
///
/// let vectors = HashEmbedder::default().embed(&["the cat sleeps", "a sleeping cat", "interest rates rose"])?;
/// let similarity = |a: usize, b: usize| vectors.row(a).iter().zip(vectors.row(b)).map(|(x, y)| x * y).sum::<f32>();
/// assert!(similarity(0, 1) > similarity(0, 2) + 0.2);
/// # Ok::<(), jarre_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HashEmbedder {
    info: EmbedderInfo,
}

impl HashEmbedder {
    /// An embedder of vectors of length `dims` that reads the first `max_tokens` tokens of a text.
    ///
    /// # Panics
    /// Where either is zero.
    pub fn new(dims: usize, max_tokens: usize) -> Self {
        assert!(dims > 0 && max_tokens > 0, "vectors of {dims} dimensions of {max_tokens} tokens say nothing");
        let fingerprint = format!("hash-v1-{dims}-{max_tokens}");
        Self { info: EmbedderInfo { name: "hash".into(), dims, max_tokens, fingerprint } }
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        let mut vector = vec![0.0; self.info.dims];
        for span in self.token_spans(text).into_iter().take(self.info.max_tokens) {
            let word = text[span].to_lowercase();
            let weight = weight(&word);
            add(&mut vector, b'w', &word, weight);
            let grams = trigrams(&word);
            // All trigrams of a word together weigh as much as the word.
            let share = weight / (grams.len() as f32).sqrt();
            for gram in grams {
                add(&mut vector, b'g', &gram, share);
            }
        }
        normalise(&mut vector);
        vector
    }
}

impl Default for HashEmbedder {
    /// 256 dimensions, 512 tokens.
    fn default() -> Self {
        Self::new(256, 512)
    }
}

impl Embedder for HashEmbedder {
    fn info(&self) -> &EmbedderInfo {
        &self.info
    }

    fn embed(&self, texts: &[&str]) -> Result<Embeddings> {
        Embeddings::new(self.info.dims, texts.iter().flat_map(|text| self.vector(text)).collect())
    }
}

impl TokenCounter for HashEmbedder {
    fn token_spans(&self, text: &str) -> Vec<Range<usize>> {
        let mut spans: Vec<Range<usize>> = Vec::new();
        let mut in_word = false;
        for (start, character) in text.char_indices() {
            let (end, continues) = (start + character.len_utf8(), in_word && character.is_alphanumeric());
            in_word = character.is_alphanumeric();
            match spans.last_mut() {
                Some(word) if continues => word.end = end,
                _ if character.is_whitespace() => {}
                _ => spans.push(start..end),
            }
        }
        spans
    }
}

impl Reranker for HashEmbedder {
    fn name(&self) -> &str {
        &self.info.name
    }

    fn score(&self, query: &str, candidates: &[&str]) -> Result<Vec<f32>> {
        let query = self.vector(query);
        let cosine = |text: &&str| self.vector(text).iter().zip(&query).map(|(x, y)| x * y).sum();
        Ok(candidates.iter().map(cosine).collect())
    }
}

/// Short words are mostly function words, and punctuation says least.
fn weight(word: &str) -> f32 {
    if word.starts_with(char::is_alphanumeric) { (word.chars().count() as f32 / 6.0).min(1.0).powi(2) } else { 0.05 }
}

/// The runs of three characters of `word` between marks of its beginning and end.
fn trigrams(word: &str) -> Vec<String> {
    let marked: Vec<char> = std::iter::once('^').chain(word.chars()).chain(['$']).collect();
    marked.windows(3).map(|gram| gram.iter().collect()).collect()
}

fn add(vector: &mut [f32], kind: u8, feature: &str, weight: f32) {
    let hash = hash(kind, feature);
    let bucket = (hash % vector.len() as u64) as usize;
    vector[bucket] += if hash >> 63 == 0 { weight } else { -weight };
}

/// FNV-1a of 64 bits, then the finaliser of `MurmurHash3`, because FNV leaves the upper bits of short texts badly mixed.
fn hash(kind: u8, feature: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut hash = std::iter::once(kind).chain(feature.bytes()).fold(0xcbf2_9ce4_8422_2325, step);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// Scales to length 1; a vector without length (of an empty text) becomes the first unit vector, so that cosines are defined.
fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for value in vector {
            *value /= length;
        }
    } else {
        vector[0] = 1.0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::contract;

    #[test]
    fn keeps_the_contracts() {
        contract::embedder(&HashEmbedder::default());
        contract::token_counter(&HashEmbedder::default());
        contract::reranker(&HashEmbedder::default());
    }

    #[test]
    fn words_and_marks_are_tokens() {
        let text = "Don't stop, Zürich!";
        let tokens: Vec<&str> = HashEmbedder::default().token_spans(text).into_iter().map(|span| &text[span]).collect();
        assert_eq!(tokens, ["Don", "'", "t", "stop", ",", "Zürich", "!"]);
    }

    #[test]
    fn the_vectors_never_change() {
        // An index built by tests of one version is read by those of another: what is hashed where is fixed by the fingerprint.
        assert_eq!(hash(b'w', "jarre"), 0x8bc4_b734_7acf_5efd);
        assert_eq!(HashEmbedder::new(8, 4).info().fingerprint, "hash-v1-8-4");
    }

    #[test]
    fn stems_are_similar_and_function_words_are_not() {
        let embedder = HashEmbedder::default();
        let query = "how do I configure retrieval?";
        let scores = embedder.score(query, &["configuring the retriever", "how do I do what I do?"]).unwrap();
        assert!(scores[0] > 0.2 && scores[0] > scores[1], "{scores:?}");
    }

    proptest! {
        #[test]
        fn every_vector_has_length_one(text: String) {
            let length = HashEmbedder::new(64, 32).vector(&text).iter().map(|value| value * value).sum::<f32>().sqrt();
            prop_assert!((length - 1.0).abs() < 1e-5);
        }
    }
}
