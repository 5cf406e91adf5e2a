use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::text_tokenizer::TextTokenizer;
use crate::error::{Error, Result};

/// Named in the file because the format asks for it, and left out of the vocabulary so that what is unknown is an error.
const UNKNOWN: &str = "<unk>";

/// Makes a tokenizer whose tokens are the characters of a text, as nanoGPT's `shakespeare_char` has it: ids in the order of the code
/// points.
///
/// The `tokenizer.json` splits texts into characters, looks each up in a word list and joins them again without spaces. A character that is
/// not in the list is an error, here and in Hugging Face's tools, rather than being dropped: what is encoded comes back unchanged.
#[derive(Clone, Debug, Default)]
pub struct CharacterConfig {
    special_tokens: Vec<String>,
}

impl CharacterConfig {
    /// No special tokens.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tokens that stand for no text, of at least two characters; their ids follow those of the characters.
    pub fn with_special_tokens(mut self, tokens: impl IntoIterator<Item: Into<String>>) -> Self {
        self.special_tokens = tokens.into_iter().map(Into::into).collect();
        self
    }

    /// Collects the characters of `documents`.
    ///
    /// # Errors
    /// Where a document is an error, there is no character, or a special token is given twice or is a single character.
    pub fn build<T: AsRef<str>>(&self, documents: impl IntoIterator<Item = Result<T>>) -> Result<TextTokenizer> {
        let mut characters = BTreeSet::new();
        for document in documents {
            characters.extend(document?.as_ref().chars());
        }
        if characters.is_empty() {
            return Err(Error::Corpus("a text without characters makes no tokenizer".to_owned()));
        }
        let mut vocab: BTreeMap<String, usize> = BTreeMap::new();
        for token in characters.into_iter().map(String::from).chain(self.special_tokens.iter().cloned()) {
            let id = vocab.len();
            vocab.insert(token, id);
        }
        self.check(&vocab)?;
        TextTokenizer::from_json(&self.json(&vocab).to_string())
    }

    fn check(&self, vocab: &BTreeMap<String, usize>) -> Result<()> {
        let characters = vocab.keys().filter(|token| token.chars().count() == 1).count();
        let misfit = self.special_tokens.iter().find(|token| token.chars().count() < 2 || *token == UNKNOWN);
        match misfit {
            Some(token) => Err(Error::Corpus(format!(
                "`{token}` cannot be a special token here; it needs two characters and another name than {UNKNOWN}"
            ))),
            None if vocab.len() < characters + self.special_tokens.len() => Err(Error::Corpus("a special token is given twice".to_owned())),
            None => Ok(()),
        }
    }

    fn json(&self, vocab: &BTreeMap<String, usize>) -> Value {
        let special = |token: &String| {
            json!({
                "id": vocab[token], "content": token, "special": true,
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            })
        };
        json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": self.special_tokens.iter().map(special).collect::<Vec<_>>(),
            "normalizer": null,
            "pre_tokenizer": split(),
            "post_processor": null,
            "decoder": {"type": "Fuse"},
            "model": {"type": "WordLevel", "vocab": vocab, "unk_token": UNKNOWN},
        })
    }
}

/// The step that makes every character a word, line feeds included.
pub(super) fn split() -> Value {
    json!({"type": "Split", "pattern": {"Regex": r"[\s\S]"}, "behavior": "Isolated", "invert": false})
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_follow_the_code_points_and_special_tokens_come_last() {
        let tokenizer = CharacterConfig::new().with_special_tokens(["<|end|>"]).build([Ok("hello\n"), Ok("ß wörld")]).unwrap();
        let mut characters: Vec<char> = "hello\nß wörld".chars().collect();
        characters.sort_unstable();
        characters.dedup();
        for (id, character) in characters.iter().enumerate() {
            assert_eq!(tokenizer.token_id(&character.to_string()), Some(id as u32));
        }
        assert_eq!(tokenizer.token_id("<|end|>"), Some(characters.len() as u32));
        assert_eq!(tokenizer.vocab_size(), characters.len() + 1);
    }

    #[test]
    fn an_unknown_character_is_named() {
        let tokenizer = CharacterConfig::new().build([Ok("abc")]).unwrap();
        assert_eq!(tokenizer.encode("cab").unwrap(), [2, 0, 1]);
        let error = tokenizer.encode("abéc").unwrap_err().to_string();
        assert!(error.contains("'é'"), "{error}");
    }

    #[test]
    fn what_makes_no_vocabulary_is_refused() {
        assert!(CharacterConfig::new().build([Ok("")]).is_err());
        for tokens in [&["x"][..], &[""], &["<a>", "<a>"], &["<unk>"]] {
            assert!(CharacterConfig::new().with_special_tokens(tokens.iter().copied()).build([Ok("abc")]).is_err(), "{tokens:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_of_the_characters_comes_back(text in any::<String>().prop_filter("some text", |text| !text.is_empty())) {
            let tokenizer = CharacterConfig::new().with_special_tokens(["<|end|>"]).build([Ok(&text)]).unwrap();
            let ids = tokenizer.encode(&text).unwrap();
            prop_assert_eq!(ids.len(), text.chars().count());
            prop_assert_eq!(tokenizer.decode(&ids).unwrap(), text);
        }
    }
}
