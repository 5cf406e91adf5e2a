//! How well a language model foresees text.

use std::{
    f64::consts::LN_2,
    iter::Sum,
    ops::{Add, AddAssign},
};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How far above 0 a logarithm computed in 32 bits may come out.
const ROUNDING: f64 = 1e-5;

/// The log-likelihood of text under a language model. Those of several texts add up, and figures of the sum are figures of the corpus: long
/// texts weigh more, as they should, where a mean of perplexities lets a short one rule.
///
/// Perplexities of models with different tokenizers cannot be compared; bits per byte can.
///
/// ```
/// use jarre_eval::language_model::Likelihood;
///
/// let text = Likelihood::new(&[-1.0, -3.0], "naïve")?;
/// assert_eq!(text.perplexity(), Some(2_f64.exp()));
/// assert_eq!(text.bits_per_byte(), Some(4.0 / 2_f64.ln() / 6.0));
/// assert_eq!(Likelihood::default().perplexity(), None);
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Likelihood {
    /// The sum of the negative natural logarithms of the tokens' probabilities; infinite where the model held a token to be impossible.
    pub nats: f64,
    /// Tokens that were scored: the first of a text has no probability in most models, and is then not among them.
    pub tokens: u64,
    /// Bytes of the text in UTF-8.
    pub bytes: u64,
    /// Characters of the text, as Unicode code points.
    pub characters: u64,
}

impl Likelihood {
    /// The likelihood of `text`, whose tokens have these natural log-probabilities. Minus infinity is one: it makes every figure infinite.
    ///
    /// # Errors
    /// [`Error::ValueOutOfRange`] for NaN, and for what is above 0 by more than rounding.
    pub fn new(log_probabilities: &[f64], text: &str) -> Result<Self> {
        let wanted = "a log-probability is at most 0";
        // Written so that NaN is found too.
        let wrong = log_probabilities.iter().enumerate().find(|(_, value)| value.is_nan() || **value > ROUNDING);
        if let Some((index, value)) = wrong {
            return Err(Error::ValueOutOfRange { index, value: *value, wanted });
        }
        // From 0, as a sum of none is -0.
        let nats = log_probabilities.iter().fold(0.0, |nats, value| nats - value);
        Ok(Self { nats, tokens: log_probabilities.len() as u64, bytes: text.len() as u64, characters: text.chars().count() as u64 })
    }

    /// The exponential of the mean negative log-probability of a token; `None` without tokens.
    pub fn perplexity(&self) -> Option<f64> {
        per(self.nats, self.tokens).map(f64::exp)
    }

    /// Bits that a token takes; `None` without tokens.
    pub fn bits_per_token(&self) -> Option<f64> {
        per(self.nats / LN_2, self.tokens)
    }

    /// Bits that a byte of the text takes; `None` without bytes or without tokens.
    pub fn bits_per_byte(&self) -> Option<f64> {
        self.bits_per_token().and_then(|_| per(self.nats / LN_2, self.bytes))
    }

    /// Bits that a character of the text takes; `None` without characters or without tokens.
    pub fn bits_per_character(&self) -> Option<f64> {
        self.bits_per_token().and_then(|_| per(self.nats / LN_2, self.characters))
    }
}

impl Add for Likelihood {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            nats: self.nats + other.nats,
            tokens: self.tokens + other.tokens,
            bytes: self.bytes + other.bytes,
            characters: self.characters + other.characters,
        }
    }
}

impl AddAssign for Likelihood {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Likelihood {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

fn per(total: f64, count: u64) -> Option<f64> {
    (count > 0).then(|| total / count as f64)
}
