use tokenizers::PostProcessor;
use tokenizers::utils::truncation::{TruncationParams, TruncationStrategy, truncate_encodings};

use super::{Tokenizer, contain};
use crate::error::{Error, Result};

impl Tokenizer {
    /// Ids of `first`, or of the pair of `first` and `second`, with the special tokens that the tokenizer puts around and between them, and
    /// the segment (token type) of each; at most [`max_tokens`](Self::max_tokens). Of a pair that is longer the longer text is cut at its
    /// end, and both where each is longer than half of the room.
    ///
    /// # Errors
    /// Where the tokenizer fails, or the special tokens of a pair leave no room.
    pub fn encode_pair(&self, first: &str, second: Option<&str>) -> Result<(Vec<u32>, Vec<u32>)> {
        let specials = self.inner.get_post_processor().map_or(0, |processor| processor.added_tokens(second.is_some()));
        if self.max_tokens <= specials {
            return Err(Error::Tokenize(format!("{} tokens leave no room beside {specials} special ones", self.max_tokens)));
        }
        let cut = TruncationParams {
            max_length: self.max_tokens - specials,
            strategy: TruncationStrategy::LongestFirst,
            ..TruncationParams::default()
        };
        contain(|| {
            let first = self.inner.encode_fast(first, false)?;
            let second = second.map(|second| self.inner.encode_fast(second, false)).transpose()?;
            let (first, second) = truncate_encodings(first, second, &cut)?;
            let encoding = self.inner.post_process(first, second, true)?;
            Ok((encoding.get_ids().to_vec(), encoding.get_type_ids().to_vec()))
        })
        .map_err(Error::Tokenize)
    }
}
