use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result, macros::forward};

/// Turns texts into vectors.
///
/// The call blocks: local embedders compute, remote ones wait on the calling thread. An async caller moves it off its runtime
/// (`spawn_blocking`). Implementations return one row a text, in the order of the texts, and the same vector for the same text
/// whatever else is in the batch (within floating-point tolerance).
///
/// [`testing::contract::embedder`](crate::testing::contract::embedder) checks an implementation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an embedder",
    note = "implement `jarre_core::Embedder`, or use `jarre_transformer::SentenceEncoder` or `jarre_core::testing::HashEmbedder`"
)]
pub trait Embedder: Send + Sync {
    /// What an index stores about this embedder and checks before it mixes vectors.
    fn info(&self) -> &EmbedderInfo;

    /// Embeds `texts`: a matrix `[texts.len(), dims]`. An empty batch gives an empty matrix; an empty text is a text.
    ///
    /// # Errors
    /// Where the model cannot run or the remote side fails; no partial result is returned.
    fn embed(&self, texts: &[&str]) -> Result<Embeddings>;
}

forward!(Embedder {
    fn info(&self) -> &EmbedderInfo;
    fn embed(&self, texts: &[&str]) -> Result<Embeddings>;
});

/// The identity of an embedder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedderInfo {
    /// The name that people know the model by.
    pub name: String,
    /// Length of a vector.
    pub dims: usize,
    /// Tokens of a text that are read; what follows is cut off.
    pub max_tokens: usize,
    /// Differs whenever the same text can get a different vector: weights, pooling, normalisation, truncation.
    pub fingerprint: String,
}

/// A row-major matrix of vectors, `[rows, dims]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedEmbeddings")]
pub struct Embeddings {
    dims: usize,
    values: Vec<f32>,
}

#[derive(Deserialize)]
struct UncheckedEmbeddings {
    dims: usize,
    values: Vec<f32>,
}

impl TryFrom<UncheckedEmbeddings> for Embeddings {
    type Error = Error;

    fn try_from(read: UncheckedEmbeddings) -> Result<Self> {
        Self::new(read.dims, read.values)
    }
}

impl Embeddings {
    /// A matrix over `values` in row-major order.
    ///
    /// # Errors
    /// Where `values` is not a whole number of rows, or `dims` is zero while there are values.
    pub fn new(dims: usize, values: Vec<f32>) -> Result<Self> {
        let whole = if dims == 0 { values.is_empty() } else { values.len().is_multiple_of(dims) };
        if !whole {
            let message = format!("{} values do not make rows of {dims}", values.len());
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        Ok(Self { dims, values })
    }

    /// Length of a row.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.dims).unwrap_or(0)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Row `index`, `[dims]`.
    ///
    /// # Panics
    /// Where `index` is not below [`len`](Self::len).
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.dims..(index + 1) * self.dims]
    }

    /// The rows in order.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &[f32]> + ExactSizeIterator {
        self.values.chunks_exact(self.dims.max(1))
    }

    /// All values, row-major.
    pub fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// All values, row-major, by value.
    pub fn into_vec(self) -> Vec<f32> {
        self.values
    }
}

/// Counts and places the tokens of a text, so that chunks and contexts can be sized in a model's own unit.
///
/// [`testing::contract::token_counter`](crate::testing::contract::token_counter) checks an implementation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not count tokens",
    note = "implement `jarre_core::TokenCounter`, or use `jarre_core::testing::HashEmbedder`, which counts words"
)]
pub trait TokenCounter: Send + Sync {
    /// The byte spans of the tokens of `text`, in order and on character boundaries; special tokens are not among them.
    fn token_spans(&self, text: &str) -> Vec<Range<usize>>;

    /// How many tokens `text` has, special tokens not counted.
    fn count_tokens(&self, text: &str) -> usize {
        self.token_spans(text).len()
    }
}

forward!(TokenCounter {
    fn token_spans(&self, text: &str) -> Vec<Range<usize>>;
    fn count_tokens(&self, text: &str) -> usize;
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_make_no_whole_rows_are_refused() {
        assert_eq!(Embeddings::new(2, vec![0.0; 3]).unwrap_err().kind(), ErrorKind::InvalidRequest);
        assert!(Embeddings::new(0, vec![0.0]).is_err());
        assert!(Embeddings::new(0, vec![]).unwrap().is_empty());
    }

    #[test]
    fn rows_are_row_major_and_round_trip() {
        let matrix = Embeddings::new(2, vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!((matrix.len(), matrix.row(1)), (2, [3.0, 4.0].as_slice()));
        assert_eq!(matrix.rows().collect::<Vec<_>>(), [[1.0, 2.0], [3.0, 4.0]]);
        let wire = serde_json::to_value(&matrix).unwrap();
        assert_eq!(serde_json::from_value::<Embeddings>(wire).unwrap(), matrix);
    }

    #[test]
    fn a_matrix_read_from_outside_is_checked_too() {
        assert!(serde_json::from_str::<Embeddings>(r#"{"dims": 2, "values": [1.0, 2.0, 3.0]}"#).is_err());
    }
}
