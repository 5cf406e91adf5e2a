use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How the next token is chosen: the settings of a [`Sampler`](super::Sampler), which refuses what is out of range.
///
/// Names and order are llama.cpp's. Logits go through `logit_bias`, the penalties, `top_n_sigma`, `top_k`, `typ_p`, `top_p`, `min_p` and
/// `temperature`, one after another, each reading what the one before left. The default draws from the model's own distribution.
///
/// Serde: missing fields take their default; what is not a field is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SamplingParams {
    /// Divides the logits, at least 0. 0 takes the likeliest token, that of the lowest id among equals, and looks at no truncation.
    pub temperature: f32,
    /// Keeps that many of the likeliest tokens; 0 keeps all.
    pub top_k: u32,
    /// Keeps the fewest of the likeliest tokens that reach this probability together, in (0, 1] (arXiv 1904.09751); 1 keeps all.
    pub top_p: f32,
    /// Keeps tokens at least this fraction as likely as the likeliest, in [0, 1] (arXiv 2407.01082); 0 keeps all.
    pub min_p: f32,
    /// Locally typical sampling (arXiv 2202.00666): keeps the fewest tokens that reach this probability together, those first whose
    /// surprise is nearest to the entropy, in (0, 1]; 1 keeps all. The likeliest token may be dropped.
    pub typ_p: f32,
    /// Keeps tokens whose logit lies at most this many standard deviations of all logits below the highest (arXiv 2411.07641), above 0.
    pub top_n_sigma: Option<f32>,
    /// Takes the place of the truncations: after penalties and temperature, keeps surprise near a target.
    pub mirostat: Option<MirostatParams>,
    /// Divides positive and multiplies negative logits of tokens of prompt and answer (arXiv 1909.05858), above 0; 1 changes nothing.
    pub repeat_penalty: f32,
    /// How many of the last tokens of prompt and answer `repeat_penalty` looks at; `None` is all of them.
    pub repeat_last_n: Option<usize>,
    /// Taken from the logit of each token of the answer so far, in [-2, 2].
    pub presence_penalty: f32,
    /// Taken from the logit of a token once for each time that the answer has it so far, in [-2, 2].
    pub frequency_penalty: f32,
    /// Added to the logits of these tokens before all else; negative infinity bans a token.
    pub logit_bias: BTreeMap<u32, f32>,
    /// The only tokens that may be chosen.
    pub allowed_token_ids: Option<Vec<u32>>,
    /// Tokens that end an answer, as the end-of-sequence token does.
    pub stop_token_ids: Vec<u32>,
    /// Tokens that an answer has at least: until then none of those that end it is chosen.
    pub min_tokens: usize,
    /// How many of the likeliest tokens are reported with each choice.
    pub top_logprobs: usize,
    /// Where the random numbers start: the same seed, logits and settings choose the same tokens.
    pub seed: u64,
}

/// The settings of mirostat 2.0 (arXiv 2007.14966).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MirostatParams {
    /// The surprise aimed at, in bits a token, above 0.
    pub tau: f32,
    /// How fast the limit follows the surprise that was seen, in (0, 1].
    pub eta: f32,
}

impl SamplingParams {
    /// Always the likeliest token.
    pub fn greedy() -> Self {
        Self::default().with_temperature(0.0)
    }

    /// Sets [`temperature`](Self::temperature).
    pub fn with_temperature(self, temperature: f32) -> Self {
        Self { temperature, ..self }
    }

    /// Sets [`top_k`](Self::top_k).
    pub fn with_top_k(self, top_k: u32) -> Self {
        Self { top_k, ..self }
    }

    /// Sets [`top_p`](Self::top_p).
    pub fn with_top_p(self, top_p: f32) -> Self {
        Self { top_p, ..self }
    }

    /// Sets [`min_p`](Self::min_p).
    pub fn with_min_p(self, min_p: f32) -> Self {
        Self { min_p, ..self }
    }

    /// Sets [`typ_p`](Self::typ_p).
    pub fn with_typ_p(self, typ_p: f32) -> Self {
        Self { typ_p, ..self }
    }

    /// Sets [`top_n_sigma`](Self::top_n_sigma).
    pub fn with_top_n_sigma(self, top_n_sigma: f32) -> Self {
        Self { top_n_sigma: Some(top_n_sigma), ..self }
    }

    /// Sets [`mirostat`](Self::mirostat).
    pub fn with_mirostat(self, tau: f32, eta: f32) -> Self {
        Self { mirostat: Some(MirostatParams { tau, eta }), ..self }
    }

    /// Sets [`repeat_penalty`](Self::repeat_penalty).
    pub fn with_repeat_penalty(self, repeat_penalty: f32) -> Self {
        Self { repeat_penalty, ..self }
    }

    /// Sets [`repeat_last_n`](Self::repeat_last_n).
    pub fn with_repeat_last_n(self, repeat_last_n: usize) -> Self {
        Self { repeat_last_n: Some(repeat_last_n), ..self }
    }

    /// Sets [`presence_penalty`](Self::presence_penalty).
    pub fn with_presence_penalty(self, presence_penalty: f32) -> Self {
        Self { presence_penalty, ..self }
    }

    /// Sets [`frequency_penalty`](Self::frequency_penalty).
    pub fn with_frequency_penalty(self, frequency_penalty: f32) -> Self {
        Self { frequency_penalty, ..self }
    }

    /// Sets [`logit_bias`](Self::logit_bias).
    pub fn with_logit_bias(self, logit_bias: impl IntoIterator<Item = (u32, f32)>) -> Self {
        Self { logit_bias: logit_bias.into_iter().collect(), ..self }
    }

    /// Sets [`allowed_token_ids`](Self::allowed_token_ids).
    pub fn with_allowed_token_ids(self, ids: impl IntoIterator<Item = u32>) -> Self {
        Self { allowed_token_ids: Some(ids.into_iter().collect()), ..self }
    }

    /// Sets [`stop_token_ids`](Self::stop_token_ids).
    pub fn with_stop_token_ids(self, ids: impl IntoIterator<Item = u32>) -> Self {
        Self { stop_token_ids: ids.into_iter().collect(), ..self }
    }

    /// Sets [`min_tokens`](Self::min_tokens).
    pub fn with_min_tokens(self, min_tokens: usize) -> Self {
        Self { min_tokens, ..self }
    }

    /// Sets [`top_logprobs`](Self::top_logprobs).
    pub fn with_top_logprobs(self, top_logprobs: usize) -> Self {
        Self { top_logprobs, ..self }
    }

    /// Sets [`seed`](Self::seed).
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}

impl Default for SamplingParams {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            typ_p: 1.0,
            top_n_sigma: None,
            mirostat: None,
            repeat_penalty: 1.0,
            repeat_last_n: None,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            logit_bias: BTreeMap::new(),
            allowed_token_ids: None,
            stop_token_ids: Vec::new(),
            min_tokens: 0,
            top_logprobs: 0,
            seed: 0,
        }
    }
}

impl Default for MirostatParams {
    /// `tau` 5 bits, `eta` 0.1, as in the paper's experiments.
    fn default() -> Self {
        Self { tau: 5.0, eta: 0.1 }
    }
}

impl From<&jarre_core::Sampling> for SamplingParams {
    /// What is not set there stays at the default. `max_tokens` goes to [`StopCriteria`](super::StopCriteria), `stop` to
    /// [`StopStrings`](super::StopStrings).
    fn from(sampling: &jarre_core::Sampling) -> Self {
        let unset = Self::default();
        Self {
            temperature: sampling.temperature.unwrap_or(unset.temperature),
            top_k: sampling.top_k.unwrap_or(unset.top_k),
            top_p: sampling.top_p.unwrap_or(unset.top_p),
            min_p: sampling.min_p.unwrap_or(unset.min_p),
            repeat_penalty: sampling.repetition_penalty.unwrap_or(unset.repeat_penalty),
            presence_penalty: sampling.presence_penalty.unwrap_or(unset.presence_penalty),
            frequency_penalty: sampling.frequency_penalty.unwrap_or(unset.frequency_penalty),
            mirostat: sampling.mirostat.map(|jarre_core::Mirostat { tau, eta }| MirostatParams { tau, eta }),
            seed: sampling.seed.unwrap_or(unset.seed),
            ..unset
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_of_a_chat_becomes_the_same_settings() {
        let sampling = jarre_core::Sampling::default()
            .with_temperature(0.5)
            .with_top_k(40_u32)
            .with_top_p(0.9)
            .with_min_p(0.1)
            .with_repetition_penalty(1.25)
            .with_presence_penalty(0.5)
            .with_frequency_penalty(-0.5)
            .with_mirostat(jarre_core::Mirostat { tau: 3.0, eta: 0.2 })
            .with_seed(9_u64);
        let expected = SamplingParams::default()
            .with_temperature(0.5)
            .with_top_k(40)
            .with_top_p(0.9)
            .with_min_p(0.1)
            .with_repeat_penalty(1.25)
            .with_presence_penalty(0.5)
            .with_frequency_penalty(-0.5)
            .with_mirostat(3.0, 0.2)
            .with_seed(9);
        assert_eq!(SamplingParams::from(&sampling), expected);
        assert_eq!(SamplingParams::from(&jarre_core::Sampling::default()), SamplingParams::default());
        assert_eq!(SamplingParams::from(&jarre_core::Sampling::greedy()), SamplingParams::greedy());
    }

    #[test]
    fn json_leaves_out_what_is_default_and_refuses_what_it_does_not_know() {
        let read: SamplingParams = serde_json::from_str(r#"{"top_k": 5, "mirostat": {"tau": 3.0}, "logit_bias": {"7": -2.5}}"#).unwrap();
        let expected = SamplingParams::default().with_top_k(5).with_mirostat(3.0, 0.1).with_logit_bias([(7, -2.5)]);
        assert_eq!(read, expected);
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<SamplingParams>(&written).unwrap(), read);
        assert!(serde_json::from_str::<SamplingParams>(r#"{"topk": 5}"#).is_err());
    }
}
