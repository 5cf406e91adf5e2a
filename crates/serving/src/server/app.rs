use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jarre_core::Clock;
use jarre_openai::ApiError;
use jarre_transformer::Tokenizer;
use tokio::task::spawn_blocking;

use super::adapters::Adapters;
use super::config::ServerConfig;
use super::embeddings::EmbeddingModel;
use super::failure::{Answer, Failure};
use super::metrics::Metrics;
use super::score::ScoringModel;
use super::vocabulary::Vocabulary;
use crate::draws::Draws;
use crate::prompt::ChatPrompt;
use crate::{Engine, Error, LoraAdapter};

/// What all handlers share.
pub(super) struct App {
    pub(super) engine: Engine,
    /// The model's names, its own first.
    pub(super) names: Vec<String>,
    pub(super) adapters: Adapters,
    pub(super) tokenizer: Arc<Tokenizer>,
    pub(super) prompt: Option<ChatPrompt>,
    pub(super) vocabulary: Vocabulary,
    pub(super) embedder: Option<EmbeddingModel>,
    pub(super) reranker: Option<ScoringModel>,
    pub(super) loading: LoadingQueue,
    pub(super) metrics: Metrics,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) draws: Draws,
    pub(super) config: ServerConfig,
    /// When the server was made, in seconds since the start of 1970.
    pub(super) started: u64,
    pub(super) draining: AtomicBool,
    /// Requests whose handlers run.
    pub(super) handling: AtomicUsize,
}

/// Requests that load something or wait to.
pub(super) struct LoadingQueue {
    turn: tokio::sync::Mutex<()>,
    open: AtomicUsize,
}

impl App {
    /// The adapter that a model's name stands for, where it is not the model's own. Refuses names of other models.
    pub(super) fn adapter(&self, model: &str) -> Answer<Option<LoraAdapter>> {
        if self.names.iter().any(|known| known == model) {
            return Ok(None);
        }
        Ok(Some(self.adapters.get(model).ok_or_else(|| ApiError::model_not_found(model))?))
    }

    /// Seconds since the start of 1970.
    pub(super) fn unix_seconds(&self) -> u64 {
        unix_seconds(&*self.clock)
    }

    /// As [`unix_seconds`](Self::unix_seconds), to the microsecond.
    pub(super) fn unix_time(&self) -> f64 {
        self.clock.timestamp().unix_micros() as f64 / 1e6
    }

    /// When a request that comes now is late, on the engine's clock.
    pub(super) fn deadline(&self) -> Duration {
        self.engine.now().saturating_add(self.config.request_timeout)
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Refuses where the queue is full or the server is stopping, before anything dear is done.
    pub(super) fn check_queue(&self) -> Answer<()> {
        self.engine.check_queue().map_err(|error| self.failure(error))
    }

    /// As the conversion, and with the time after which a full queue is worth another try.
    pub(super) fn failure(&self, error: Error) -> Failure {
        if matches!(error, Error::GrammarTimeout { .. }) {
            self.metrics.grammar_timed_out();
        }
        let is_full = matches!(error, Error::QueueFull { .. });
        let mut failure = Failure::from(error);
        if is_full {
            failure.0.retry_after = Some(self.config.retry_after);
        }
        failure
    }

    /// Does what takes long on a thread that may.
    pub(super) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let app = Arc::clone(self);
        let span = tracing::Span::current();
        let done = spawn_blocking(move || span.in_scope(|| work(&app))).await;
        done.unwrap_or_else(|_| Err(ApiError::internal("the server could not answer the request because of a defect").into()))
    }

    /// As [`blocking`](Self::blocking), one at a time, and of those that wait not too many.
    pub(super) async fn load<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Self>) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        if self.is_draining() {
            return Err(self.failure(Error::ShuttingDown));
        }
        let _open = self.loading.enter().map_err(|error| self.failure(error))?;
        let turn = tokio::time::timeout(self.config.request_timeout, self.loading.turn.lock()).await;
        let _turn = turn.map_err(|_| Failure::from(Error::Deadline))?;
        self.blocking(work).await
    }
}

impl LoadingQueue {
    const LIMIT: usize = 16;

    pub(super) fn new() -> Self {
        Self { turn: tokio::sync::Mutex::new(()), open: AtomicUsize::new(0) }
    }

    fn enter(&self) -> crate::Result<Entered<'_>> {
        let open = self.open.fetch_add(1, Ordering::AcqRel);
        let entered = Entered(&self.open);
        if open >= Self::LIMIT { Err(Error::QueueFull { waiting: open, limit: Self::LIMIT }) } else { Ok(entered) }
    }
}

/// Counts one while it lives.
pub(super) struct Entered<'a>(pub(super) &'a AtomicUsize);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

pub(super) fn unix_seconds(clock: &dyn Clock) -> u64 {
    u64::try_from(clock.timestamp().unix_micros() / 1_000_000).unwrap_or_default()
}
