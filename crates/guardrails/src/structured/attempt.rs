use jarre_core::{ChatRequest, Usage};

use super::{Answer, Attempt, Outcome, StructuredConfig, Unanswered, prompt, read::Reading};
use crate::{Error, Result};

/// The attempts at one answer: what was asked, what it cost, and whether to ask again.
#[derive(Debug)]
pub(super) struct Attempts {
    /// The next question.
    request: ChatRequest,
    most: usize,
    max_tokens: Option<u64>,
    usage: Usage,
    past: Vec<Attempt>,
}

/// What follows an attempt.
pub(super) enum Next<T> {
    Done(Answer<T>),
    Again,
}

impl Attempts {
    pub(super) fn new(request: ChatRequest, config: &StructuredConfig) -> Self {
        Self { request, most: config.attempts.max(1), max_tokens: config.max_tokens, usage: Usage::default(), past: Vec::new() }
    }

    pub(super) fn request(&self) -> ChatRequest {
        self.request.clone()
    }

    /// What was wrong with the last answer.
    pub(super) fn last(&self) -> Option<&Outcome> {
        self.past.last().map(|attempt| &attempt.outcome)
    }

    /// Books an attempt whose answer was `text`.
    pub(super) fn book<T>(&mut self, text: String, usage: Usage, reading: Reading<T>) -> Result<Next<T>> {
        self.usage += usage;
        match reading {
            Reading::Fits { value, json, steps } => {
                self.past.push(Attempt { usage, outcome: Outcome::Fits { steps } });
                Ok(Next::Done(Answer { value, json, usage: self.usage, attempts: std::mem::take(&mut self.past) }))
            }
            Reading::Fails(outcome) => {
                let complaints = outcome.complaints();
                let hopeless = outcome == Outcome::Withheld;
                self.past.push(Attempt { usage, outcome });
                if hopeless || self.is_spent() {
                    let attempts = std::mem::take(&mut self.past);
                    return Err(Error::Unanswered(Box::new(Unanswered { usage: self.usage, attempts })));
                }
                // The model sees its last answer alone, so that the question does not grow with the attempts.
                let first = if self.past.len() == 1 { self.request() } else { self.without_last_exchange() };
                self.request = prompt::again(first, text, &complaints);
                Ok(Next::Again)
            }
        }
    }

    fn is_spent(&self) -> bool {
        self.past.len() >= self.most || self.max_tokens.is_some_and(|most| self.usage.total_tokens() >= most)
    }

    fn without_last_exchange(&self) -> ChatRequest {
        let mut request = self.request();
        request.messages.truncate(request.messages.len() - 2);
        request
    }
}
