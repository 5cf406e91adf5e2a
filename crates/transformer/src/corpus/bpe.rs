use std::collections::HashSet;

use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{AddedToken, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, PreTokenizerWrapper, Trainer};

use super::Progress;
use super::cuts::{Cuts, PIECE};
use super::text_tokenizer::TextTokenizer;
use crate::error::{Error, Result};
use crate::tokenizer::contain;

/// Tokens that byte-level BPE starts from: one a byte.
const BYTES: usize = 256;

/// Words that are not learnt from: encoded pictures and the like, on which merging takes quadratic time.
const LONG_WORD: usize = 1024;

/// The counts of `tokenizers` are of 32 bits.
const MAX_TEXT_BYTES: u64 = i32::MAX as u64;

/// Trains a tokenizer by byte-pair encoding over bytes (Sennrich et al. 2016; Radford et al. 2019): starting from the 256 bytes, the pair
/// of tokens that stands side by side most often becomes a token, over and over. Texts are cut into words by GPT-2's pattern first, and no
/// token crosses one.
///
/// Every UTF-8 text can be encoded and comes back unchanged; there is no unknown token. Special tokens have the ids from 0 in the order
/// given, the bytes follow, then what was merged. The same documents give the same tokenizer, in whatever order they come.
///
/// ```
/// # use jarre_transformer::corpus::BpeConfig;
/// let documents = ["low lower lowest", "new newer newest"].map(|text| Ok(text.to_owned()));
/// let config = BpeConfig::new(280).with_special_tokens(["<|endoftext|>"]);
/// let tokenizer = config.train(documents.into_iter(), &mut |_| {})?;
///
/// let ids = tokenizer.encode("the newest ☂")?;
/// assert!(ids.len() < "the newest ☂".len());
/// assert_eq!(tokenizer.decode(&ids)?, "the newest ☂");
/// # Ok::<(), jarre_transformer::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BpeConfig {
    vocab_size: usize,
    special_tokens: Vec<String>,
    min_frequency: u64,
    single_digits: bool,
}

impl BpeConfig {
    /// A vocabulary of at most `vocab_size` tokens, special ones included; fewer where the text holds too few pairs.
    pub fn new(vocab_size: usize) -> Self {
        Self { vocab_size, special_tokens: Vec::new(), min_frequency: 2, single_digits: false }
    }

    /// Tokens that stand for no text, such as `<|endoftext|>`.
    pub fn with_special_tokens(mut self, tokens: impl IntoIterator<Item: Into<String>>) -> Self {
        self.special_tokens = tokens.into_iter().map(Into::into).collect();
        self
    }

    /// How often a pair must stand in the text to become a token. 2 unless set.
    pub fn with_min_frequency(mut self, times: u64) -> Self {
        self.min_frequency = times;
        self
    }

    /// Keeps every digit a token of its own, as Llama 2 does: numbers have one spelling each.
    pub fn with_single_digits(mut self, single: bool) -> Self {
        self.single_digits = single;
        self
    }

    /// Learns a tokenizer from `documents`. `progress` is called after each document, on any thread, and once before the
    /// merging.
    ///
    /// Runs on all threads. Memory grows with the number of different words, not with the text. Words of more than a kilobyte are not
    /// learnt from.
    ///
    /// # Errors
    /// Where a document is an error, the vocabulary has no room for the bytes and the special tokens, a special token could come up in a
    /// text, or the documents have more than 2 GiB.
    pub fn train<T: AsRef<str> + Send>(
        &self,
        documents: impl Iterator<Item = Result<T>> + Send,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<TextTokenizer> {
        let splitter = self.splitter();
        self.check(&splitter)?;
        let mut trainer = self.trainer();
        let mut failure = None;
        let mut intake = Intake { documents: 0, text_bytes: 0, failure: &mut failure, progress: &mut *progress };
        let pieces = documents.map_while(|document| intake.take(document)).flatten();
        let fed = contain(|| trainer.feed(pieces, |text| words(&splitter, text)));
        if let Some(error) = failure {
            return Err(error);
        }
        fed.map_err(Error::Tokenize)?;
        progress(Progress::Merging);
        self.assemble(&trainer, splitter).map_err(Error::Tokenize)
    }

    fn check(&self, splitter: &PreTokenizerWrapper) -> Result<()> {
        let needed = BYTES + self.special_tokens.len();
        if self.vocab_size < needed {
            let problem =
                format!("a vocabulary of {} has no room for 256 bytes and the special tokens; it needs {needed}", self.vocab_size);
            return Err(Error::Corpus(problem));
        }
        let mut seen = HashSet::new();
        for token in &self.special_tokens {
            // What is a single word could be merged from its letters and would then stand for text.
            let words = contain(|| words(splitter, token)).map_err(Error::Tokenize)?;
            if words.len() < 2 || !seen.insert(token) {
                let problem =
                    format!("`{token}` cannot be a special token: each is given once and written like <|endoftext|>, unlike any word");
                return Err(Error::Corpus(problem));
            }
        }
        Ok(())
    }

    fn splitter(&self) -> PreTokenizerWrapper {
        let bytes = ByteLevel::default().add_prefix_space(false);
        if self.single_digits { Sequence::new(vec![Digits::new(true).into(), bytes.into()]).into() } else { bytes.into() }
    }

    fn trainer(&self) -> BpeTrainer {
        BpeTrainer::builder()
            .vocab_size(self.vocab_size)
            .min_frequency(self.min_frequency)
            .special_tokens(self.special())
            .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
            .show_progress(false)
            .build()
    }

    fn special(&self) -> Vec<AddedToken> {
        self.special_tokens.iter().map(|token| AddedToken::from(token.as_str(), true)).collect()
    }

    fn assemble(&self, trainer: &BpeTrainer, splitter: PreTokenizerWrapper) -> Result<TextTokenizer, String> {
        let mut model = BPE::default();
        contain(|| trainer.train(&mut model))?;
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        tokenizer.with_pre_tokenizer(Some(splitter)).with_decoder(Some(ByteLevel::default()));
        tokenizer.add_special_tokens(&self.special());
        TextTokenizer::new(tokenizer)
    }
}

/// Counts documents on their way to the trainer and stops at the first that is an error.
struct Intake<'t> {
    documents: u64,
    text_bytes: u64,
    failure: &'t mut Option<Error>,
    progress: &'t mut (dyn FnMut(Progress) + Send),
}

impl Intake<'_> {
    fn take<T: AsRef<str>>(&mut self, document: Result<T>) -> Option<Vec<String>> {
        match document.and_then(|document| self.count(document.as_ref()).map(|()| pieces(document.as_ref()))) {
            Ok(pieces) => Some(pieces),
            Err(error) => {
                *self.failure = Some(error);
                None
            }
        }
    }

    fn count(&mut self, text: &str) -> Result<()> {
        self.documents += 1;
        self.text_bytes += text.len() as u64;
        if self.text_bytes > MAX_TEXT_BYTES {
            return Err(Error::Corpus("a tokenizer learns from at most 2 GiB of text; give it a sample of the documents".to_owned()));
        }
        (self.progress)(Progress::Counting { documents: self.documents, text_bytes: self.text_bytes });
        Ok(())
    }
}

fn pieces(text: &str) -> Vec<String> {
    Cuts::BeforeSpace.pieces(text, PIECE).map(str::to_owned).collect()
}

/// The words of a text in the letters that stand for its bytes.
fn words(splitter: &PreTokenizerWrapper, text: &str) -> tokenizers::Result<Vec<String>> {
    let mut split = PreTokenizedString::from(text);
    splitter.pre_tokenize(&mut split)?;
    let words = split.get_splits(OffsetReferential::Original, OffsetType::Byte).into_iter().map(|(word, ..)| word);
    Ok(words.filter(|word| word.len() <= LONG_WORD).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "she sells sea shells by the sea shore; the shells she sells are sea shells, I'm sure. 10 20 2024 2025\n";

    fn train(config: &BpeConfig, texts: &[&str]) -> Result<TextTokenizer> {
        config.train(texts.iter().map(|text| Ok(*text)), &mut |_| {})
    }

    #[test]
    fn ids_are_special_tokens_then_bytes_then_merges_by_frequency() {
        let tokenizer = train(&BpeConfig::new(300).with_special_tokens(["<|a|>", "<|b|>"]), &["aaab aaab aaac bc"]).unwrap();
        assert_eq!((tokenizer.token_id("<|a|>"), tokenizer.token_id("<|b|>"), tokenizer.token_id("!")), (Some(0), Some(1), Some(2)));
        // `a a` stands six times, then `aa a` three times, then `Ġ aaa` and `aaa b` twice, of which the smaller ids come first; no pair is
        // left twice.
        let json: serde_json::Value = serde_json::from_str(tokenizer.to_json()).unwrap();
        assert_eq!(json["model"]["merges"], serde_json::json!([["a", "a"], ["aa", "a"], ["Ġ", "aaa"]]));
        assert_eq!(tokenizer.vocab_size(), 2 + 256 + 3);
    }

    #[test]
    fn two_runs_and_another_order_give_the_same_file() {
        let config = BpeConfig::new(320).with_special_tokens(["<|end|>"]);
        let texts: Vec<String> = (0..200).map(|number| format!("{TEXT} item {} of {}", number * 7919 % 1000, number % 13)).collect();
        let forward: Vec<&str> = texts.iter().map(String::as_str).collect();
        let backward: Vec<&str> = forward.iter().rev().copied().collect();
        let first = train(&config, &forward).unwrap();
        assert_eq!(first.vocab_size(), 320);
        for again in [train(&config, &forward).unwrap(), train(&config, &backward).unwrap()] {
            assert_eq!(first.to_json(), again.to_json());
        }
    }

    #[test]
    fn digits_stay_alone_where_asked() {
        let text = TEXT.repeat(50);
        let spelled = |single: bool| {
            let tokenizer = train(&BpeConfig::new(400).with_single_digits(single), &[&text]).unwrap();
            tokenizer.encode("2024").unwrap().len()
        };
        assert!(spelled(false) < 4);
        assert_eq!(spelled(true), 4);
    }

    #[test]
    fn vocabularies_and_special_tokens_that_cannot_work_are_refused() {
        let refused = |config: &BpeConfig| matches!(train(config, &[TEXT]), Err(Error::Corpus(_)));
        assert!(refused(&BpeConfig::new(255)));
        assert!(refused(&BpeConfig::new(256).with_special_tokens(["<|end|>"])));
        assert!(!refused(&BpeConfig::new(257).with_special_tokens(["<|end|>"])));
        for token in ["", "a", "shells", " the", "<|", "\n"] {
            assert!(refused(&BpeConfig::new(300).with_special_tokens([token])), "{token:?}");
        }
        assert!(refused(&BpeConfig::new(300).with_special_tokens(["<|end|>", "<|end|>"])));
    }

    #[test]
    fn a_document_that_is_an_error_ends_the_training_with_it() {
        let broken = || Err(Error::Corpus("broken".to_owned()));
        let documents = [Ok(TEXT), broken(), Ok(TEXT)];
        let error = BpeConfig::new(300).train(documents.into_iter(), &mut |_| {}).unwrap_err();
        assert_eq!(error.to_string(), "broken");
    }

    #[test]
    fn progress_counts_what_was_read() {
        let mut seen = Vec::new();
        BpeConfig::new(300).train([Ok("ab"), Ok("ßd")].into_iter(), &mut |progress| seen.push(progress)).unwrap();
        let counting = |documents, text_bytes| Progress::Counting { documents, text_bytes };
        assert_eq!(seen, [counting(1, 2), counting(2, 5), Progress::Merging]);
    }

    #[test]
    fn no_text_at_all_leaves_the_bytes() {
        let tokenizer = train(&BpeConfig::new(1000), &[]).unwrap();
        assert_eq!(tokenizer.vocab_size(), 256);
        assert_eq!(tokenizer.decode(&tokenizer.encode("é\0").unwrap()).unwrap(), "é\0");
    }

    /// A megabyte without a space would take hours where every merge moved the rest of it.
    #[test]
    fn endless_words_are_passed_over() {
        let endless = "ab".repeat(1 << 20);
        let tokenizer = train(&BpeConfig::new(300), &[&endless, TEXT]).unwrap();
        assert!(tokenizer.token_id("ab").is_none());
        assert_eq!(tokenizer.decode(&tokenizer.encode(&endless).unwrap()).unwrap(), endless);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn every_text_comes_back(text: String, config in 0..2_usize) {
            static TOKENIZERS: LazyLock<[TextTokenizer; 2]> = LazyLock::new(|| {
                [false, true].map(|single| {
                    let config = BpeConfig::new(400).with_special_tokens(["<|end|>"]).with_single_digits(single);
                    train(&config, &[&TEXT.repeat(20)]).unwrap()
                })
            });
            let text = format!("{text}<|end|> \t{text}");
            let back = TOKENIZERS[config].decode(&TOKENIZERS[config].encode(&text).unwrap()).unwrap();
            prop_assert_eq!(back, text);
        }
    }
}
