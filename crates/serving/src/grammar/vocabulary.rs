use std::fmt;

use jarre_transformer::Tokenizer;
use llguidance::toktrie::{TokRxInfo, TokTrie, TokenId, TokenizerEnv};

use crate::error::{Error, Result};

/// The tokens of a model as a prefix tree of their bytes.
pub(super) struct Vocabulary {
    trie: TokTrie,
}

impl Vocabulary {
    pub(super) fn new(tokenizer: &Tokenizer, vocab_size: usize, eos: &[u32]) -> Result<Self> {
        let Some(first) = eos.first() else {
            return Err(Error::Invalid("a grammar needs a token that ends the answer".to_owned()));
        };
        if let Some(outside) = eos.iter().find(|id| **id as usize >= vocab_size) {
            return Err(Error::Invalid(format!("token {outside} ends answers, and there are {vocab_size} logits")));
        }
        let words: Vec<Vec<u8>> = (0..vocab_size as u32).map(|id| word(tokenizer, id)).collect();
        if !words.iter().any(|word| is_text(word)) {
            return Err(Error::Invalid("no token of this vocabulary stands for text".to_owned()));
        }
        let info = TokRxInfo::new(vocab_size as u32, *first);
        Ok(Self { trie: TokTrie::from(&info, &words).with_eos_tokens(eos) })
    }

    /// Whether a token is among those that end an answer.
    pub(super) fn ends(&self, token: u32) -> bool {
        self.trie.eos_tokens().contains(&token)
    }

    /// Tokens that spell `bytes`, longest first; none for a byte that no token begins with.
    pub(super) fn spell(&self, bytes: &[u8]) -> Vec<u32> {
        self.trie.greedy_tokenize(bytes)
    }

    pub(super) fn len(&self) -> usize {
        self.trie.vocab_size()
    }
}

impl TokenizerEnv for Vocabulary {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.spell(bytes)
    }

    /// Another spelling of the same text is as good: nothing is forced onto the model.
    fn tokenize_is_canonical(&self) -> bool {
        false
    }
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vocabulary").field("tokens", &self.len()).field("eos", &self.trie.eos_tokens()).finish()
    }
}

/// A token's bytes; a special token is its name behind a byte that no UTF-8 text has, by which grammars may call it.
fn word(tokenizer: &Tokenizer, id: u32) -> Vec<u8> {
    match tokenizer.token_bytes(id) {
        Some(bytes) if is_text(&bytes) => bytes,
        Some(_) => Vec::new(),
        None => tokenizer.token(id).map_or_else(Vec::new, |name| [&[TokTrie::SPECIAL_TOKEN_MARKER], name.as_bytes()].concat()),
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| *first != TokTrie::SPECIAL_TOKEN_MARKER)
}
