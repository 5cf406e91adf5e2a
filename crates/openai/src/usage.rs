use serde::{Deserialize, Serialize};

use crate::lenient::or_default;

/// Tokens that a request used, as the wire has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens that the model read, those from a cache included.
    #[serde(deserialize_with = "or_default")]
    pub prompt_tokens: u64,
    /// Tokens that the model wrote; absent where it writes none.
    #[serde(deserialize_with = "or_default")]
    pub completion_tokens: u64,
    /// Both together.
    #[serde(deserialize_with = "or_default")]
    pub total_tokens: u64,
    /// More on the prompt's tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_details: Option<PromptTokensDetails>,
}

/// More on the tokens of a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromptTokensDetails {
    /// Those that came from a cache.
    #[serde(deserialize_with = "or_default")]
    pub cached_tokens: u64,
}

impl From<jarre_core::Usage> for Usage {
    fn from(usage: jarre_core::Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.total_tokens(),
            prompt_tokens_details: Some(PromptTokensDetails { cached_tokens: usage.cached_tokens }),
        }
    }
}

/// Cached tokens are among the prompt's, whatever the server says.
impl From<Usage> for jarre_core::Usage {
    fn from(usage: Usage) -> Self {
        let cached = usage.prompt_tokens_details.unwrap_or_default().cached_tokens;
        Self::new(usage.prompt_tokens, usage.completion_tokens).with_cached(cached.min(usage.prompt_tokens))
    }
}
