use std::fmt;
use std::sync::Arc;

use super::TokenMask;
use super::limits::first_lines;
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};

/// Where an answer stands in its grammar. One for each answer; a clone goes on by itself.
///
/// Cost of a token: tens to hundreds of microseconds, more at places where a regular expression begins; a grammar that would need far more
/// (a highly ambiguous one) fails instead.
#[derive(Clone)]
pub struct Matcher {
    inner: llguidance::Matcher,
    vocabulary: Arc<Vocabulary>,
}

impl Matcher {
    pub(super) fn new(inner: llguidance::Matcher, vocabulary: Arc<Vocabulary>) -> Self {
        Self { inner, vocabulary }
    }

    /// The tokens that may come next; those that end the answer are among them exactly where the text may end, and alone where it must.
    ///
    /// # Errors
    /// Where the grammar turns out to be too ambiguous or too large to follow: the answer cannot go on.
    pub fn mask(&mut self) -> Result<TokenMask> {
        self.inner.compute_mask_or_eos().map(TokenMask::new).map_err(|error| failed(&error))
    }

    /// Takes the next token. One that ends the answer may come again after the end.
    ///
    /// # Errors
    /// Where [`mask`](Self::mask) does not allow the token: then nothing changes. Or where the grammar is too large to follow.
    pub fn accept(&mut self, token: u32) -> Result<()> {
        if self.is_done() && self.vocabulary.ends(token) {
            return Ok(());
        }
        if self.accepts(&[token]) == 0 {
            self.fail_if_broken()?;
            return Err(Error::Invalid(format!("token {token} does not go on with the grammar")));
        }
        self.inner.consume_token(token).map_err(|error| failed(&error))
    }

    /// How many of `tokens`, from the first on, could come next; nothing changes. Those behind an end are not counted.
    pub fn accepts(&mut self, tokens: &[u32]) -> usize {
        let known = tokens.iter().take_while(|token| (**token as usize) < self.vocabulary.len()).count();
        if self.is_done() {
            return usize::from(known > 0 && self.inner.get_error().is_none() && self.vocabulary.ends(tokens[0]));
        }
        self.inner.validate_tokens(&tokens[..known]).unwrap_or(0)
    }

    /// Tokens that spell what must come next, for a model to read at once; none where there is a choice. What could be spelled together with
    /// the text that follows is left to the model. The spelling is the longest tokens first, which need not be the tokenizer's.
    pub fn forced(&mut self) -> Vec<u32> {
        let bytes = self.inner.compute_ff_bytes();
        let mut tokens = self.vocabulary.spell(&bytes);
        let good = self.accepts(&tokens);
        tokens.truncate(good.min(tokens.len().saturating_sub(1)));
        tokens
    }

    /// Whether the answer is complete: nothing may follow, or its end was accepted.
    pub fn is_done(&self) -> bool {
        self.inner.is_stopped() && self.inner.get_error().is_none()
    }

    fn fail_if_broken(&self) -> Result<()> {
        self.inner.get_error().map_or(Ok(()), |error| Err(failed(&error)))
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matcher").field("done", &self.is_done()).field("error", &self.inner.get_error()).finish_non_exhaustive()
    }
}

fn failed(error: &dyn fmt::Display) -> Error {
    Error::Invalid(format!("the answer cannot go on in its grammar: {}", first_lines(error)))
}
