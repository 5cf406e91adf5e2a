//! Texts to token ids and back.

mod llama2c;
mod pair;
mod token_bytes;

pub(crate) use self::llama2c::merges_by_score;

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use tokenizers::normalizers::{Lowercase, NormalizerWrapper, Sequence};
use tokenizers::{PostProcessor, TruncationDirection};

use crate::error::{Error, Result};

/// A Hugging Face tokenizer (`tokenizer.json`) that cuts texts to a model's length.
///
/// Truncation and padding that the file asks for are ignored; a panic inside the `tokenizers` crate becomes an error.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    max_tokens: usize,
    specials: usize,
}

impl Tokenizer {
    /// Reads `path`; texts are cut so that they have at most `max_tokens` tokens with the special ones.
    ///
    /// # Errors
    /// Where the file cannot be read, is not a tokenizer, or `max_tokens` leaves no room beside the special tokens.
    pub fn from_file(path: impl AsRef<Path>, max_tokens: usize) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        let parsed = contain(|| tokenizers::Tokenizer::from_bytes(&bytes)).map_err(|reason| Error::malformed(path, reason))?;
        Self::new(parsed, max_tokens).map_err(|reason| Error::malformed(path, reason))
    }

    /// Reads `tokenizer.json` of a folder; texts are not cut.
    ///
    /// # Errors
    /// Where the file cannot be read or is not a tokenizer.
    pub fn from_folder(folder: impl AsRef<Path>) -> Result<Self> {
        Self::from_file(folder.as_ref().join("tokenizer.json"), usize::MAX)
    }

    /// Lower-cases texts before anything else, unless the tokenizer does so already.
    pub(crate) fn with_lowercase(mut self) -> Self {
        let mut steps: Vec<NormalizerWrapper> = vec![Lowercase.into()];
        steps.extend(self.inner.get_normalizer().cloned());
        self.inner.with_normalizer(Some(Sequence::new(steps)));
        self
    }

    /// Tokens of a text that are read, special ones included.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Ids of `text` with special tokens, at most [`max_tokens`](Self::max_tokens): what goes beyond is cut off at the end.
    ///
    /// # Errors
    /// Where the tokenizer fails.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        contain(|| {
            let mut encoding = self.inner.encode_fast(text, false)?;
            encoding.truncate(self.max_tokens - self.specials, 0, TruncationDirection::Right);
            Ok(self.inner.post_process(encoding, None, true)?.get_ids().to_vec())
        })
        .map_err(Error::Tokenize)
    }

    /// Ids of the whole `text` without special tokens of its own; those that are written out in it count as such.
    ///
    /// # Errors
    /// Where the tokenizer fails.
    pub fn encode_plain(&self, text: &str) -> Result<Vec<u32>> {
        contain(|| Ok(self.inner.encode_fast(text, false)?.get_ids().to_vec())).map_err(Error::Tokenize)
    }

    /// The text of `ids`, special tokens left out; ids that are no tokens are skipped.
    ///
    /// # Errors
    /// Where the tokenizer fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        contain(|| self.inner.decode(ids, true)).map_err(Error::Tokenize)
    }

    /// A token as the vocabulary writes it.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// The id of a token of the vocabulary.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Tokens of the vocabulary, added ones included.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// Writes the tokenizer as `tokenizer.json` into `folder`.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let path = folder.as_ref().join("tokenizer.json");
        let json = self.inner.to_string(true).map_err(|error| Error::Tokenize(error.to_string()))?;
        std::fs::write(&path, json).map_err(Error::io(&path))
    }

    /// Byte spans of the tokens of the whole `text`, special tokens left out, in order and on character boundaries.
    ///
    /// # Errors
    /// Where the tokenizer fails.
    pub fn spans(&self, text: &str) -> Result<Vec<Range<usize>>> {
        let encoding = contain(|| self.inner.encode(text, false)).map_err(Error::Tokenize)?;
        let widen = |&(start, end): &(usize, usize)| text.floor_char_boundary(start)..text.ceil_char_boundary(end);
        Ok(encoding.get_offsets().iter().map(widen).filter(|span| !span.is_empty()).collect())
    }

    pub(crate) fn new(mut inner: tokenizers::Tokenizer, max_tokens: usize) -> Result<Self, String> {
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| error.to_string())?;
        let specials = inner.get_post_processor().map_or(0, |processor| processor.added_tokens(false));
        if max_tokens <= specials {
            return Err(format!("{max_tokens} tokens leave no room beside {specials} special ones"));
        }
        Ok(Self { inner, max_tokens, specials })
    }
}

/// Runs a call into `tokenizers`, whose panics on odd files and texts must not end the caller.
#[expect(clippy::disallowed_methods, reason = "a wall around a foreign parser")]
pub(crate) fn contain<T>(call: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("it panicked".to_owned()),
    }
}
