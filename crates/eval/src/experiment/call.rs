use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jarre_core::{ChatModel, ChatRequest, ChatResponse, Clock, Cost, Error, ErrorKind, Result, Sampling, Usage};

use super::{Retries, blocking, sampling};
use crate::{digest, track::Tracker};

/// How a [`Task`](super::Task) speaks to the model: through the cache, with tries again, and with everything counted.
#[derive(Debug)]
pub struct Call<'a> {
    pub(super) line: &'a Line,
    /// Keeps the repeats of an item apart in the cache, and seeds them apart.
    pub(super) repeat: u32,
    pub(super) ledger: Mutex<Ledger>,
}

/// What all calls of a run share.
pub(super) struct Line {
    pub(super) model: Arc<dyn ChatModel>,
    /// What tells this model from another of the same name: where it is asked.
    pub(super) endpoint: String,
    pub(super) sampling: Sampling,
    pub(super) seed: u64,
    /// Keeps answers, where it is wanted.
    pub(super) cache: Option<Tracker>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) retries: Retries,
    pub(super) timeout: Option<Duration>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("model", self.model.info()).field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// What the calls of one answer came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ledger {
    pub(super) requests: Vec<String>,
    pub(super) usage: Usage,
    pub(super) cost: Cost,
    pub(super) attempts: u32,
    pub(super) first_token: Option<Duration>,
    pub(super) latency: Duration,
}

impl Call<'_> {
    /// Asks the model. What the request leaves open is taken from the experiment's sampling.
    ///
    /// # Errors
    /// The model's, once it says that another try cannot help, or after the last.
    pub async fn ask(&self, request: ChatRequest) -> Result<ChatResponse> {
        let request = self.line.completed(request, self.repeat);
        let key = self.line.key(&request, self.repeat);
        self.ledger().requests.push(key.clone());
        if let Some(response) = self.line.known(&key).await? {
            self.charge(&response, 0);
            return Ok(response);
        }
        let (response, attempts) = self.tried(&request, &key).await;
        let response = response.inspect_err(|_| self.ledger().attempts += attempts)?;
        self.line.keep(key, &response).await?;
        self.charge(&response, attempts);
        Ok(response)
    }

    async fn tried(&self, request: &ChatRequest, key: &str) -> (Result<ChatResponse>, u32) {
        let mut attempt = 1;
        loop {
            match self.line.once(request.clone()).await {
                Err(error) if error.is_retryable() && attempt <= self.line.retries.most => {
                    tokio::time::sleep(self.line.retries.wait(attempt, key, error.retry_after())).await;
                    attempt += 1;
                }
                answer => return (answer, attempt),
            }
        }
    }

    /// Answers from the cache are charged as they were made: what the answer costs, not what this run paid.
    fn charge(&self, response: &ChatResponse, attempts: u32) {
        let price = self.line.model.info().price.unwrap_or_default();
        let mut ledger = self.ledger();
        let started = ledger.latency;
        let first = response.timings.time_to_first_token.map(|first| started + first);
        ledger.first_token = ledger.first_token.or(first);
        ledger.latency += response.timings.total;
        ledger.usage += response.usage;
        ledger.cost += price.cost(response.usage);
        ledger.attempts += attempts;
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    async fn known(&self, key: &str) -> Result<Option<ChatResponse>> {
        let Some(cache) = self.cache.clone() else { return Ok(None) };
        let key = key.to_owned();
        blocking(move || cache.cached_response(&key)).await.map_err(lost)
    }

    async fn keep(&self, key: String, response: &ChatResponse) -> Result<()> {
        let Some(cache) = self.cache.clone() else { return Ok(()) };
        let response = response.clone();
        blocking(move || cache.cache_response(&key, &response, None)).await.map_err(lost)
    }

    fn completed(&self, mut request: ChatRequest, repeat: u32) -> ChatRequest {
        let sampling = sampling::or(request.sampling, &self.sampling);
        // Each repeat has a seed of its own, and the same one in every run.
        let seed = sampling.seed.unwrap_or(self.seed).wrapping_add(u64::from(repeat));
        request.sampling = sampling.with_seed(seed);
        request
    }

    /// Everything that the answer depends on. Not the deadline and not the id, which differ from one try to the next.
    fn key(&self, request: &ChatRequest, repeat: u32) -> String {
        let info = self.model.info();
        digest::of(&(&info.provider, &info.name, &self.endpoint, request, repeat))
    }

    async fn once(&self, request: ChatRequest) -> Result<ChatResponse> {
        let started = self.clock.now();
        let answer = match self.timeout {
            None => self.model.chat(request).await,
            Some(timeout) => {
                let request = request.with_timeout(&self.clock, timeout);
                let late = || Error::new(ErrorKind::Timeout, format!("no answer within {timeout:?}; raise `limits.timeout_seconds`"));
                tokio::time::timeout(timeout, self.model.chat(request)).await.unwrap_or_else(|_| Err(late()))
            }
        };
        answer.map(|mut answer| {
            if answer.timings.total.is_zero() {
                answer.timings.total = self.clock.now().saturating_sub(started);
            }
            answer
        })
    }
}

fn lost(error: crate::Error) -> Error {
    Error::new(ErrorKind::Internal, "the cache of answers cannot be read or written").with_source(error)
}
