use std::path::Path;

use rayon::prelude::*;
use serde_json::Value;

use super::cuts::{Cuts, PIECE};
use super::durable;
use crate::error::{Error, Result};
use crate::tokenizer::contain;

/// A tokenizer (`tokenizer.json`) as corpora need it: whole documents to ids and back, with nothing added and nothing cut off.
///
/// The name of a special token inside a text is text: a document cannot bring in an end of document. Truncation, padding and special tokens
/// that the file asks for are ignored; a panic inside the `tokenizers` crate becomes an error.
///
/// Whether [`decode`](Self::decode) gives back what [`encode`](Self::encode) was given is up to the file: for tokenizers made here
/// ([`BpeConfig`](super::BpeConfig), [`CharacterConfig`](super::CharacterConfig)) it does.
#[derive(Clone, Debug)]
pub struct TextTokenizer {
    inner: tokenizers::Tokenizer,
    json: String,
    fingerprint: blake3::Hash,
    vocab_size: u32,
    cuts: Cuts,
}

impl TextTokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// Where the file cannot be read or is not a tokenizer.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let json = std::fs::read_to_string(path).map_err(Error::io(path))?;
        Self::parse(&json).map_err(|reason| Error::malformed(path, reason))
    }

    /// Reads the content of a `tokenizer.json`.
    ///
    /// # Errors
    /// Where it is not a tokenizer.
    pub fn from_json(json: &str) -> Result<Self> {
        Self::parse(json).map_err(|reason| Error::Corpus(format!("this is not a tokenizer.json: {reason}")))
    }

    /// The content of a `tokenizer.json` that Hugging Face's tools load.
    pub fn to_json(&self) -> &str {
        &self.json
    }

    /// Writes [`to_json`](Self::to_json) to `path`; what was there is replaced only once the new file is whole.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        durable::replace(path.as_ref(), self.json.as_bytes())
    }

    /// One more than the largest id.
    pub fn vocab_size(&self) -> usize {
        self.vocab_size as usize
    }

    /// The id of a token, special ones included.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Differs whenever the same text can get other ids.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.to_hex().to_string()
    }

    pub(super) fn fingerprint_bytes(&self) -> [u8; 32] {
        *self.fingerprint.as_bytes()
    }

    /// The ids of all of `text`.
    ///
    /// # Errors
    /// Where the tokenizer fails, or has only single characters and lacks one of the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.encode_by(text, PIECE)
    }

    /// The ids of each text, on all threads.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), for the first text that fails.
    pub fn encode_batch<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Result<Vec<Vec<u32>>> {
        let pieces: Vec<(usize, &str)> = texts
            .iter()
            .enumerate()
            .flat_map(|(index, text)| self.cuts.pieces(text.as_ref(), PIECE).map(move |piece| (index, piece)))
            .collect();
        let encoded: Vec<Result<Vec<u32>>> = pieces.par_iter().map(|(_, piece)| self.encode_piece(piece)).collect();
        let mut ids = vec![Vec::new(); texts.len()];
        for ((index, _), piece) in pieces.into_iter().zip(encoded) {
            ids[index].append(&mut piece?);
        }
        Ok(ids)
    }

    /// The text of `ids`, special tokens by their names. Bytes that are no UTF-8, as a cut through a character leaves them, become U+FFFD.
    ///
    /// # Errors
    /// Where an id is not in the vocabulary or the tokenizer fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        if let Some(id) = ids.iter().find(|id| **id >= self.vocab_size) {
            return Err(Error::Corpus(format!("token {id} is not in a vocabulary of {}", self.vocab_size)));
        }
        contain(|| self.inner.decode(ids, false)).map_err(Error::Tokenize)
    }

    fn encode_by(&self, text: &str, size: usize) -> Result<Vec<u32>> {
        let mut ids = Vec::new();
        for piece in self.cuts.pieces(text, size) {
            ids.append(&mut self.encode_piece(piece)?);
        }
        Ok(ids)
    }

    fn encode_piece(&self, piece: &str) -> Result<Vec<u32>> {
        contain(|| Ok(self.inner.encode_fast(piece, false)?.get_ids().to_vec())).map_err(|reason| match self.foreign(piece) {
            Some(character) => {
                Error::Corpus(format!("character {character:?} is not in the tokenizer's vocabulary; make one from all of the text"))
            }
            None => Error::Tokenize(reason),
        })
    }

    /// The first character that a tokenizer of single characters does not know.
    fn foreign(&self, text: &str) -> Option<char> {
        text.chars().find(|character| self.cuts == Cuts::Anywhere && self.token_id(character.encode_utf8(&mut [0; 4])).is_none())
    }

    fn parse(json: &str) -> Result<Self, String> {
        let mut inner = contain(|| tokenizers::Tokenizer::from_bytes(json.as_bytes()))?;
        inner.with_padding(None);
        contain(|| inner.with_truncation(None).map(|_| ()))?;
        Self::new(inner)
    }

    pub(super) fn new(mut inner: tokenizers::Tokenizer) -> Result<Self, String> {
        inner.set_encode_special_tokens(true);
        let json = contain(|| inner.to_string(true))?;
        let largest = inner.get_vocab(true).into_values().max().ok_or("its vocabulary is empty")?;
        let vocab_size = largest.checked_add(1).ok_or("an id is as large as ids can be")?;
        let value: Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
        Ok(Self { inner, fingerprint: blake3::hash(json.as_bytes()), json, vocab_size, cuts: Cuts::of(&value) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::super::{BpeConfig, CharacterConfig};
    use super::*;

    const TEXT: &str = "It's the 1st of 2024's  tests:\n\n\tdon't  we'll  x=[1,22,333];  \u{a0} naïve\u{3000}text 日本語 \r\n end ";

    fn byte_level(single_digits: bool) -> &'static TextTokenizer {
        static BOTH: LazyLock<[TextTokenizer; 2]> = LazyLock::new(|| {
            [false, true].map(|single| {
                let config = BpeConfig::new(300).with_special_tokens(["<|end|>"]).with_single_digits(single);
                config.train([Ok(TEXT.repeat(3))].into_iter(), &mut |_| {}).unwrap()
            })
        });
        &BOTH[usize::from(single_digits)]
    }

    #[test]
    fn a_special_token_in_a_text_is_text() {
        let tokenizer = byte_level(false);
        let ids = tokenizer.encode("a<|end|>b").unwrap();
        assert!(!ids.contains(&tokenizer.token_id("<|end|>").unwrap()));
        assert_eq!(tokenizer.decode(&ids).unwrap(), "a<|end|>b");
    }

    #[test]
    fn files_that_hold_no_tokenizer_and_ids_beyond_it_are_errors() {
        for json in ["", "{}", "[1, 2", r#"{"model": {"type": "BPE"}}"#, "null"] {
            assert!(matches!(TextTokenizer::from_json(json), Err(Error::Corpus(_))), "{json}");
        }
        let tokenizer = byte_level(false);
        assert!(tokenizer.decode(&[u32::MAX]).is_err());
        assert!(tokenizer.decode(&[tokenizer.vocab_size() as u32]).is_err());
    }

    #[test]
    fn a_saved_tokenizer_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        let tokenizer = byte_level(true);
        tokenizer.save(&path).unwrap();
        let again = TextTokenizer::from_file(&path).unwrap();
        assert_eq!((again.fingerprint(), again.to_json()), (tokenizer.fingerprint(), tokenizer.to_json()));
        assert_eq!(again.encode(TEXT).unwrap(), tokenizer.encode(TEXT).unwrap());
        assert_ne!(tokenizer.fingerprint(), byte_level(false).fingerprint());
    }

    #[test]
    fn a_batch_has_the_tokens_of_each_text() {
        let tokenizer = byte_level(false);
        let texts = [TEXT.repeat(2000), String::new(), "one".to_owned(), "x".repeat(3 * PIECE)];
        let batch = tokenizer.encode_batch(&texts).unwrap();
        let alone: Vec<Vec<u32>> = texts.iter().map(|text| tokenizer.encode(text).unwrap()).collect();
        assert_eq!(batch, alone);
        assert_eq!(tokenizer.decode(&batch[0]).unwrap(), texts[0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn pieces_have_the_tokens_of_the_whole(
            text in r"([a-z]{1,3}|[0-9]{1,4}|[ \n\t]{1,3}|['.,;#]|[\u{a0}é日]){0,40}",
            size in 1..20_usize,
            digits: bool,
        ) {
            let tokenizer = byte_level(digits);
            prop_assert_eq!(tokenizer.encode_by(&text, size).unwrap(), tokenizer.encode_by(&text, usize::MAX).unwrap());
        }

        #[test]
        fn characters_can_be_cut_anywhere(text: String, size in 0..5_usize) {
            let tokenizer = CharacterConfig::new().build([Ok(format!("{text}x"))]).unwrap();
            prop_assert_eq!(tokenizer.encode_by(&text, size.max(1)).unwrap(), tokenizer.encode_by(&text, usize::MAX).unwrap());
        }
    }
}
