//! The three forms in which answers state log probabilities.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lenient::or_default;

/// The log probabilities of a chat answer's tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatLogprobs {
    /// One entry a token of the text.
    pub content: Option<Vec<TokenLogprob>>,
    /// One entry a token of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Vec<TokenLogprob>>,
}

/// A token, how likely it was, and what else was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenLogprob {
    /// The token's text; bytes that are no UTF-8 by themselves are replaced.
    #[serde(deserialize_with = "or_default")]
    pub token: String,
    /// The natural logarithm of its probability; -9999 stands for what cannot be.
    #[serde(deserialize_with = "or_default")]
    pub logprob: f32,
    /// The bytes of its text.
    pub bytes: Option<Vec<u8>>,
    /// The likeliest tokens there, likeliest first.
    #[serde(deserialize_with = "or_default")]
    pub top_logprobs: Vec<TopLogprob>,
}

/// A token that was likely.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopLogprob {
    /// The token's text.
    #[serde(deserialize_with = "or_default")]
    pub token: String,
    /// The natural logarithm of its probability.
    #[serde(deserialize_with = "or_default")]
    pub logprob: f32,
    /// The bytes of its text.
    pub bytes: Option<Vec<u8>>,
}

/// The log probabilities of a completion's tokens: lists of one length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CompletionLogprobs {
    /// Where each token begins in the text, in characters.
    #[serde(deserialize_with = "or_default")]
    pub text_offset: Vec<u64>,
    /// The natural logarithms of their probabilities; `null` for a first token that nothing stands before.
    #[serde(deserialize_with = "or_default")]
    pub token_logprobs: Vec<Option<f32>>,
    /// Their texts.
    #[serde(deserialize_with = "or_default")]
    pub tokens: Vec<String>,
    /// The likeliest tokens at each place, by their texts.
    #[serde(deserialize_with = "or_default")]
    pub top_logprobs: Vec<Option<BTreeMap<String, f32>>>,
}

/// One entry a token of a prompt: the tokens that were likely there by their ids, the prompt's own among them. The first is empty.
pub type PromptLogprobs = Vec<Option<BTreeMap<u32, PromptLogprob>>>;

/// How likely a token was in the prompt (vLLM).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromptLogprob {
    /// The natural logarithm of its probability.
    #[serde(deserialize_with = "or_default")]
    pub logprob: f32,
    /// Its place among all tokens, from 1.
    pub rank: Option<u32>,
    /// Its text.
    pub decoded_token: Option<String>,
}

/// The stop text or the stop token that ended an answer (vLLM).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StopReason {
    /// A token of `stop_token_ids`.
    Token(i64),
    /// A text of `stop`.
    Text(String),
}
