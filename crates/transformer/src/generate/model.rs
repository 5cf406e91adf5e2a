use crate::error::{Error, Result};

/// A causal language model as generation sees it: token ids in, logits out.
///
/// The logits after a token depend on that token and those before it in its sequence, and not on what else is in the batch.
pub trait CausalLm {
    /// What the model keeps of the tokens that it has read, for a batch of sequences.
    type Cache;

    /// Tokens of the vocabulary: ids are below it.
    fn vocab_size(&self) -> usize;

    /// The longest sequence that can be read.
    fn max_positions(&self) -> usize;

    /// A cache for `batch` sequences of up to `capacity` tokens, none of them there yet.
    fn new_cache(&self, batch: usize, capacity: usize) -> Self::Cache;

    /// Appends `tokens[i]`, at least one, to sequence `i` of the cache, and gives the logits after the last of each: `[batch, vocab_size]`,
    /// row by row. Sequences may get different numbers of tokens.
    ///
    /// # Errors
    /// Where the device fails.
    fn next_logits(&self, tokens: &[&[u32]], cache: &mut Self::Cache) -> Result<Vec<f32>>;

    /// Logits after each token of one sequence, read without a cache: `[tokens.len(), vocab_size]`, row by row.
    ///
    /// # Errors
    /// Where the device fails.
    fn all_logits(&self, tokens: &[u32]) -> Result<Vec<f32>>;

    /// Sequence `i` of the cache becomes a copy of what sequence `indices[i]` was, and the batch as large as `indices`.
    fn reorder(&self, cache: &mut Self::Cache, indices: &[usize]);
}

/// `logits` as rows, one for each of `rows` sequences or positions.
pub(super) fn rows(logits: &[f32], rows: usize, vocab_size: usize) -> Result<std::slice::ChunksExact<'_, f32>> {
    if vocab_size == 0 || logits.len() != rows * vocab_size {
        return Err(Error::Logits(format!("the model gave {} for {rows} rows of {vocab_size} tokens", logits.len())));
    }
    Ok(logits.chunks_exact(vocab_size))
}

/// Refuses a text that the model cannot read.
pub(super) fn readable<'a>(tokens: &'a [u32], what: &'static str, vocab_size: usize, max_positions: usize) -> Result<&'a [u32]> {
    if tokens.is_empty() {
        return Err(Error::TooFewTokens { what, found: 0, least: 1 });
    }
    if tokens.len() > max_positions {
        return Err(Error::ContextLength { tokens: tokens.len(), max: max_positions });
    }
    match tokens.iter().find(|&&id| id as usize >= vocab_size) {
        Some(&id) => Err(Error::UnknownToken { id, vocab_size }),
        None => Ok(tokens),
    }
}
