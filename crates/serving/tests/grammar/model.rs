use std::path::{Path, PathBuf};

use jarre_serving::{Grammar, GrammarCompiler, Matcher, Result};
use jarre_transformer::Tokenizer;
use rand::RngExt;
use rand_pcg::Pcg64;

/// A model that knows nothing: it draws from the allowed tokens, and the longer its answer the more it likes to close what is open.
pub(crate) struct RandomModel {
    pub(crate) tokenizer: Tokenizer,
    pub(crate) compiler: GrammarCompiler,
    bytes: Vec<Option<Vec<u8>>>,
    eos: u32,
}

pub(crate) enum Answer {
    Complete(String),
    /// It was still going on when the tokens were used up.
    Unfinished,
}

impl RandomModel {
    /// With the vocabulary of the model that lies in the repository.
    pub(crate) fn shipped() -> Self {
        let tokenizer = Tokenizer::from_folder(asset("jarre-tiny")).unwrap();
        let eos = tokenizer.id("<|endoftext|>").unwrap();
        Self::new(tokenizer, eos)
    }

    pub(crate) fn new(tokenizer: Tokenizer, eos: u32) -> Self {
        let compiler = GrammarCompiler::new(&tokenizer, tokenizer.vocab_size() + 5, &[eos]).unwrap();
        let bytes = (0..tokenizer.vocab_size() as u32).map(|id| tokenizer.token_bytes(id)).collect();
        Self { tokenizer, compiler, bytes, eos }
    }

    pub(crate) fn answer(&self, grammar: &Grammar, rng: &mut Pcg64) -> Result<Answer> {
        let mut matcher = self.compiler.compile(grammar)?;
        let mut text = Vec::new();
        for step in 0..300 {
            let token = self.draw(&mut matcher, step, rng)?;
            assert_eq!(matcher.accepts(&[token]), 1);
            matcher.accept(token)?;
            if token == self.eos {
                assert!(matcher.is_done());
                return Ok(Answer::Complete(String::from_utf8(text).unwrap()));
            }
            text.extend(self.bytes[token as usize].as_ref().expect("no special token is text"));
        }
        Ok(Answer::Unfinished)
    }

    fn draw(&self, matcher: &mut Matcher, step: usize, rng: &mut Pcg64) -> Result<u32> {
        let mask = matcher.mask()?;
        let allowed: Vec<u32> = (0..self.bytes.len() as u32).filter(|id| mask.allows(*id)).collect();
        assert!(!allowed.is_empty() && allowed.len() == mask.count(), "ids that are no tokens are allowed, or nothing is");
        if mask.allows(self.eos) && rng.random_bool(0.5) {
            return Ok(self.eos);
        }
        let closes = |id: &&u32| self.bytes[**id as usize].as_ref().is_some_and(|bytes| bytes.iter().all(|byte| b"\"]}0".contains(byte)));
        let closing: Vec<u32> = allowed.iter().filter(closes).copied().collect();
        let tired = (0.1 + step as f64 / 100.0).min(0.95);
        let from = if !closing.is_empty() && rng.random_bool(tired) { &closing } else { &allowed };
        Ok(from[rng.random_range(0..from.len())])
    }

    /// Feeds a text through: the first place where it is not allowed, or what is left to say at its end.
    pub(crate) fn read(&self, grammar: &Grammar, text: &str) -> Result<Result<(), String>> {
        let mut matcher = self.compiler.compile(grammar)?;
        let mut read = Vec::new();
        for id in self.spell(text) {
            if !matcher.mask()?.allows(id) {
                return Ok(Err(format!("{:?} behind {:?}", self.tokenizer.token(id), String::from_utf8_lossy(&read))));
            }
            matcher.accept(id)?;
            read.extend(self.bytes[id as usize].clone().unwrap_or_default());
        }
        Ok(if matcher.mask()?.allows(self.eos) { Ok(()) } else { Err("its end".to_owned()) })
    }

    /// The tokens of a text that stands behind another: sentencepiece begins texts with a space.
    fn spell(&self, text: &str) -> Vec<u32> {
        let ids = |text: &str| self.tokenizer.encode_plain(text).unwrap();
        let starts_with_space = ids("\n").len() == 2 && ids("a") != ids("\na")[1..];
        if starts_with_space { ids(&format!("\n{text}")).split_off(2) } else { ids(text) }
    }

    pub(crate) fn takes(&self, grammar: &Grammar, text: &str) -> bool {
        self.read(grammar, text).unwrap().is_ok()
    }
}

/// Whether a text holds a number that readers of JSON round or refuse, so that a validator judges another value.
pub(crate) fn is_past_f64(text: &str) -> bool {
    let long = text.split(|char: char| !char.is_ascii_digit()).any(|digits| digits.len() > 15);
    long || serde_json::from_str::<serde_json::Value>(text).is_err_and(|error| error.to_string().contains("number out of range"))
}

pub(crate) fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/assets").join(name)
}

#[expect(clippy::disallowed_methods, reason = "the data lies where the caller says")]
pub(crate) fn data() -> PathBuf {
    std::env::var_os("JARRE_DATA").expect("JARRE_DATA names the folder with the data sets").into()
}
