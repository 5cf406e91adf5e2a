use std::time::Duration;

use jarre_transformer::generate::SamplingParams;

use crate::LoraAdapter;

/// What an engine is asked: a prompt in tokens, and how it is to be continued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// At least one token.
    pub prompt: Vec<u32>,
    /// How tokens are chosen. Answer `i` of several takes the seed plus `i`.
    pub sampling: SamplingParams,
    /// The most tokens of an answer; as many as fit where it is not given.
    pub max_tokens: Option<usize>,
    /// Answers wanted.
    pub n: usize,
    /// Texts that end an answer.
    pub stop: Vec<String>,
    /// Whether the text that ended an answer is part of it.
    pub include_stop: bool,
    /// Whether the model's end-of-sequence tokens end nothing.
    pub ignore_eos: bool,
    /// How many of the likeliest tokens are reported at each place of the prompt, beside the one that stands there; none are where it is not
    /// given. The whole prompt is computed then, whatever of it is cached.
    pub prompt_logprobs: Option<usize>,
    /// What the answer has to be.
    #[cfg(feature = "grammar")]
    pub grammar: Option<crate::Grammar>,
    /// What is added to the model's weights for this request.
    pub adapter: Option<LoraAdapter>,
    /// Lower ones run first, under [`Policy::Priority`](crate::Policy::Priority).
    pub priority: i32,
    /// Prompts share cached beginnings only with those of the same salt and adapter.
    pub cache_salt: String,
    /// When the answer is no longer wanted, on the engine's clock.
    pub deadline: Option<Duration>,
}

impl Request {
    /// One answer to `prompt`, everything else by default.
    pub fn new(prompt: impl Into<Vec<u32>>) -> Self {
        Self {
            prompt: prompt.into(),
            sampling: SamplingParams::default(),
            max_tokens: None,
            n: 1,
            stop: Vec::new(),
            include_stop: false,
            ignore_eos: false,
            prompt_logprobs: None,
            #[cfg(feature = "grammar")]
            grammar: None,
            adapter: None,
            priority: 0,
            cache_salt: String::new(),
            deadline: None,
        }
    }

    /// Sets [`sampling`](Self::sampling).
    pub fn with_sampling(self, sampling: SamplingParams) -> Self {
        Self { sampling, ..self }
    }

    /// Sets [`max_tokens`](Self::max_tokens).
    pub fn with_max_tokens(self, max_tokens: usize) -> Self {
        Self { max_tokens: Some(max_tokens), ..self }
    }

    /// Sets [`n`](Self::n).
    pub fn with_n(self, n: usize) -> Self {
        Self { n, ..self }
    }

    /// Sets [`stop`](Self::stop).
    pub fn with_stop<S: Into<String>>(self, stop: impl IntoIterator<Item = S>) -> Self {
        Self { stop: stop.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets [`ignore_eos`](Self::ignore_eos).
    pub fn with_ignore_eos(self, ignore_eos: bool) -> Self {
        Self { ignore_eos, ..self }
    }

    /// Sets [`include_stop`](Self::include_stop).
    pub fn with_include_stop(self, include_stop: bool) -> Self {
        Self { include_stop, ..self }
    }

    /// Sets [`prompt_logprobs`](Self::prompt_logprobs).
    pub fn with_prompt_logprobs(self, top: usize) -> Self {
        Self { prompt_logprobs: Some(top), ..self }
    }

    /// Sets [`grammar`](Self::grammar).
    #[cfg(feature = "grammar")]
    pub fn with_grammar(self, grammar: crate::Grammar) -> Self {
        Self { grammar: Some(grammar), ..self }
    }

    /// The same request, whose answers are held to a grammar.
    ///
    /// # Errors
    /// None.
    #[cfg(feature = "grammar")]
    #[expect(clippy::unnecessary_wraps, reason = "without the feature it refuses")]
    pub(crate) fn held_to(self, grammar: crate::Grammar) -> crate::Result<Self> {
        Ok(self.with_grammar(grammar))
    }

    /// Refuses to promise a form that nothing here can hold answers to.
    #[cfg(not(feature = "grammar"))]
    #[expect(clippy::unused_self, reason = "with the feature `grammar` it is what is given back")]
    pub(crate) fn held_to(self, _: crate::Grammar) -> crate::Result<Self> {
        Err(crate::Error::Invalid("answers cannot be held to a form: this was built without the feature `grammar`".to_owned()))
    }

    /// Sets [`adapter`](Self::adapter).
    pub fn with_adapter(self, adapter: LoraAdapter) -> Self {
        Self { adapter: Some(adapter), ..self }
    }

    /// Sets [`priority`](Self::priority).
    pub fn with_priority(self, priority: i32) -> Self {
        Self { priority, ..self }
    }

    /// Sets [`cache_salt`](Self::cache_salt).
    pub fn with_cache_salt(self, salt: impl Into<String>) -> Self {
        Self { cache_salt: salt.into(), ..self }
    }

    /// Sets [`deadline`](Self::deadline).
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline: Some(deadline), ..self }
    }
}
