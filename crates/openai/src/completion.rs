use jarre_core::FinishReason;
use serde::{Deserialize, Serialize};

use crate::{
    Prompt, Result, Usage,
    chat::{StreamOptions, stream_options},
    decode::{Fields, Node, requests},
    lenient::{constants, or_default},
    logprobs::{CompletionLogprobs, PromptLogprobs, StopReason},
    sampling::{MAX_LOGPROBS, SamplingParams},
};

constants! {
    /// The text `text_completion`.
    CompletionTag = "text_completion";
}

/// Texts to be continued: the body of `POST /v1/completions`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CompletionRequest {
    /// The model, or an adapter of it; not empty.
    pub model: String,
    /// What is continued.
    pub prompt: Prompt,
    /// How tokens are chosen and how many.
    #[serde(flatten)]
    pub sampling: SamplingParams,
    /// Whether the answer comes as server-sent events.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// What a stream holds; only with `stream`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<StreamOptions>,
    /// Whether the prompt stands before the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub echo: Option<bool>,
    /// Log probabilities of tokens and of that many alternatives, at most [`MAX_LOGPROBS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<u32>,
    /// How many answers are written, of which the `n` likeliest are given; at least `n`, and not more than `n` in a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_of: Option<u32>,
    /// Names the person who asks, for limits and logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

requests! { CompletionRequest: CompletionRequest::read; }

impl CompletionRequest {
    /// A request to continue `prompt`, everything else left to the server.
    pub fn new(model: impl Into<String>, prompt: Prompt) -> Self {
        Self {
            model: model.into(),
            prompt,
            sampling: SamplingParams::default(),
            stream: false,
            stream_options: None,
            echo: None,
            logprobs: None,
            best_of: None,
            user: None,
        }
    }

    /// Whether a stream ends with a chunk that states the tokens used.
    pub fn wants_usage(&self) -> bool {
        self.stream_options.is_some_and(|options| options.include_usage)
    }

    fn read(fields: &mut Fields) -> Result<Self> {
        let mut request = Self::new(fields.required("model", Node::non_empty_string)?, fields.required("prompt", Prompt::read)?);
        request.sampling = SamplingParams::read(fields)?;
        request.stream = fields.optional("stream", Node::boolean)?.unwrap_or_default();
        request.stream_options = stream_options(fields, request.stream)?;
        request.echo = fields.optional("echo", Node::boolean)?;
        request.logprobs = fields.optional("logprobs", |node| node.unsigned(0..=MAX_LOGPROBS))?;
        request.best_of = fields.optional("best_of", |node| node.unsigned(1..=20))?;
        request.user = fields.optional("user", Node::string)?;
        fields.refused("suffix", "text cannot be filled in before a suffix")?;
        request.check(fields)?;
        Ok(request)
    }

    fn check(&self, fields: &Fields) -> Result<()> {
        self.sampling.check(fields, self.sampling.max_tokens, self.stream)?;
        let n = self.sampling.n.unwrap_or(1);
        match self.best_of {
            Some(best_of) if best_of < n => Err(fields.invalid("best_of", "must not be below 'n'")),
            Some(best_of) if best_of > n && self.stream => Err(fields.invalid("best_of", "cannot be above 'n' in a stream")),
            _ => Ok(()),
        }
    }
}

/// Continued texts: the whole answer to a [`CompletionRequest`], and as well a piece of a streamed one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Completion {
    /// The server's name for the answer, the same in all pieces of one.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// `text_completion`.
    pub object: CompletionTag,
    /// When it was made, in seconds since the start of 1970 in UTC.
    #[serde(deserialize_with = "or_default")]
    pub created: u64,
    /// The model that answered.
    #[serde(deserialize_with = "or_default")]
    pub model: String,
    /// `n` texts for each prompt, those of the first prompt first; in a piece what is added to which.
    #[serde(deserialize_with = "or_default")]
    pub choices: Vec<CompletionChoice>,
    /// The tokens used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Names what the model ran on, so that a change shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
}

/// One continued text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CompletionChoice {
    /// Counts from 0.
    #[serde(deserialize_with = "or_default")]
    pub index: u32,
    /// The text.
    #[serde(deserialize_with = "or_default")]
    pub text: String,
    /// The log probabilities of its tokens, where they were asked for.
    pub logprobs: Option<CompletionLogprobs>,
    /// Why it ended there; `null` in a piece after which more comes.
    pub finish_reason: Option<FinishReason>,
    /// The stop text or token that ended it (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<StopReason>,
    /// One entry a token of the prompt, the first empty (vLLM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_logprobs: Option<PromptLogprobs>,
}
