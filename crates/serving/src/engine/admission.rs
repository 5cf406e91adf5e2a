use std::sync::Arc;
use std::time::Duration;

use jarre_transformer::{DecoderConfig, Tokenizer};

use super::answer::Answer;
use crate::{Error, NewSequence, Request, Result};

/// What a request has to be, and what its answers are made with. Shared by all who submit: what is dear or wrong about a request (a
/// grammar, a bad setting) costs its own thread, and no step.
pub(super) struct Admission {
    pub(super) tokenizer: Arc<Tokenizer>,
    pub(super) vocab_size: usize,
    pub(super) eos: Arc<[u32]>,
    pub(super) max_len: usize,
    pub(super) max_n: usize,
    /// The model that adapters have to fit, where it takes any.
    pub(super) adapts: Option<DecoderConfig>,
    #[cfg(feature = "grammar")]
    pub(super) grammars: crate::grammar::TimedCompiler,
}

/// A request that can be answered, with its answers before their first token.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) request: Request,
    pub(super) answers: Vec<Answer>,
    pub(super) max_tokens: usize,
    /// How long all this took.
    pub(super) took: Duration,
}

impl Admission {
    /// # Errors
    /// [`Error::TooLong`], [`Error::Invalid`], [`Error::Deadline`]; [`Error::Model`] for settings out of range and tokens beyond the vocabulary.
    pub(super) fn admit(&self, request: Request, now: Duration) -> Result<Admitted> {
        if request.n == 0 || request.n > self.max_n {
            return Err(Error::Invalid(format!("n is {}; it has to be 1 to {}", request.n, self.max_n)));
        }
        if request.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(Error::Deadline);
        }
        self.check_adapter(&request)?;
        let max_tokens = self.answer_limit(&request)?;
        if request.sampling.min_tokens > max_tokens {
            return Err(Error::Invalid(format!("min_tokens is {}, and answers have at most {max_tokens}", request.sampling.min_tokens)));
        }
        #[cfg(feature = "grammar")]
        let matcher = self.matcher(&request)?;
        let answer = |index| {
            let answer = Answer::new(self, &request, index, max_tokens)?;
            #[cfg(feature = "grammar")]
            let answer = answer.held_to(matcher.clone());
            Ok(answer)
        };
        let answers = (0..request.n).map(answer).collect::<Result<_>>()?;
        Ok(Admitted { request, answers, max_tokens, took: Duration::ZERO })
    }

    fn check_adapter(&self, request: &Request) -> Result<()> {
        let Some(adapter) = &request.adapter else { return Ok(()) };
        match &self.adapts {
            Some(config) if adapter.weights().fits(config) => Ok(()),
            Some(_) => Err(Error::Invalid(format!("the adapter {} was made for another model", adapter.name()))),
            None => Err(Error::Invalid("this engine takes no adapters: merge them into the model".to_owned())),
        }
    }

    /// What holds answers to the grammar that their request brings.
    #[cfg(feature = "grammar")]
    fn matcher(&self, request: &Request) -> Result<Option<crate::Matcher>> {
        request.grammar.as_ref().map(|grammar| self.grammars.compile(grammar)).transpose()
    }

    /// Tokens that an answer has at most: what is asked for, or all that fit.
    fn answer_limit(&self, request: &Request) -> Result<usize> {
        let (prompt, answer) = (request.prompt.len(), request.max_tokens.unwrap_or(1));
        if prompt == 0 {
            return Err(Error::Invalid("the prompt is empty; give it at least one token".to_owned()));
        }
        if answer == 0 {
            return Err(Error::Invalid("max_tokens is 0; ask for at least one token".to_owned()));
        }
        if prompt + answer > self.max_len {
            return Err(Error::TooLong { prompt, answer, limit: self.max_len });
        }
        Ok(request.max_tokens.unwrap_or(self.max_len - prompt))
    }
}

impl Admitted {
    fn namespace(&self) -> Vec<u8> {
        let Request { adapter, cache_salt, .. } = &self.request;
        adapter.as_ref().map_or_else(|| cache_salt.clone().into_bytes(), |adapter| adapter.namespace(cache_salt))
    }

    /// The sequence of the first answer.
    pub(super) fn sequence(&self) -> NewSequence {
        NewSequence::new(self.request.prompt.clone(), self.max_tokens)
            .with_priority(self.request.priority)
            .with_width(self.request.n)
            .with_namespace(self.namespace())
            .with_share_prefix(self.request.prompt_logprobs.is_none())
    }
}
