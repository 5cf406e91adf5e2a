use crate::{Result, macros::forward};

/// Scores how well texts answer a query, reading both together (a cross-encoder, say), which orders better than comparing vectors and
/// costs more.
///
/// The call blocks, as that of [`Embedder`](crate::Embedder): an async caller moves it off its runtime (`spawn_blocking`). A
/// candidate's score depends on the query and on itself, not on the other candidates (within floating-point tolerance).
///
/// [`testing::contract::reranker`](crate::testing::contract::reranker) checks an implementation.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a reranker", note = "implement `jarre_core::Reranker`")]
pub trait Reranker: Send + Sync {
    /// The name that people know the model by.
    fn name(&self) -> &str;

    /// One score a candidate, in the order of `candidates`: finite, higher is more relevant, comparable within one query only.
    ///
    /// # Errors
    /// Where the model cannot run or the remote side fails; no partial result is returned.
    fn score(&self, query: &str, candidates: &[&str]) -> Result<Vec<f32>>;
}

forward!(Reranker {
    fn name(&self) -> &str;
    fn score(&self, query: &str, candidates: &[&str]) -> Result<Vec<f32>>;
});
