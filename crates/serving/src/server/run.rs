use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use jarre_core::{Clock, Embedder, Reranker, TokenCounter};
use jarre_transformer::{CrossEncoder, SentenceEncoder};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::adapters::{Adapters, Loaded};
use super::app::{App, LoadingQueue, unix_seconds};
use super::config::ServerConfig;
use super::connections;
use super::embeddings::EmbeddingModel;
use super::metrics::Metrics;
use super::router::router;
use super::score::ScoringModel;
use super::vocabulary::Vocabulary;
use crate::draws::Draws;
use crate::model::Files;
use crate::{Engine, EngineCore, KvType, LoraAdapter, Model, ModelRunner, ServeOptions};

/// How often a server that is to stop looks whether it may.
const DRAIN_POLL: Duration = Duration::from_millis(10);
/// How long the last bytes of answers may take to be sent once all are there.
const FLUSH: Duration = Duration::from_secs(5);

/// An HTTP server with OpenAI's API over one engine.
pub struct Server {
    app: App,
    origins: Vec<HeaderValue>,
}

/// Why a server cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Others than this machine could ask a server without keys.
    #[error("{0} is open to other machines, and no API key is set; set one, listen on 127.0.0.1, or allow open access")]
    Exposed(SocketAddr),
    /// An origin for CORS is no header value.
    #[error("{0:?} is not an origin; write it as https://example.org")]
    Origin(String),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// An adapter cannot be served.
    #[error("the adapter {name} cannot be served: {reason}")]
    Adapter {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The engine cannot be started.
    #[error(transparent)]
    Engine(#[from] crate::Error),
    /// The network fails.
    #[error("cannot listen: {0}")]
    Io(#[from] std::io::Error),
}

impl Server {
    /// Starts an engine for `model`, and makes a server over it.
    ///
    /// # Errors
    /// As [`Model::engine`], [`Engine::start`] and [`new`](Self::new).
    pub fn start(model: Model, options: &ServeOptions, clock: Arc<dyn Clock>, config: ServerConfig) -> Result<Self, ServeError> {
        let core = model.engine(options)?;
        Self::start_with(core, model, options.kv_type, clock, config)
    }

    /// As [`start`](Self::start), with an engine for `model` that was made elsewhere: one over several processes, for one. Its keys and values
    /// are of `kv_type`.
    ///
    /// # Errors
    /// As [`Engine::start`] and [`new`](Self::new).
    pub fn start_with<R: ModelRunner + 'static>(
        mut core: EngineCore<R>,
        model: Model,
        kv_type: KvType,
        clock: Arc<dyn Clock>,
        config: ServerConfig,
    ) -> Result<Self, ServeError> {
        let metrics = Metrics::new(model.name(), core.max_len());
        metrics.set_cache(core.cache_config(), kv_type);
        core.observe(metrics.observer());
        let engine = Engine::start(core, Arc::clone(&clock))?;
        Self::new(engine, model, metrics, clock, config)
    }

    /// A server over an engine that runs `model` and tells `metrics` what happens.
    ///
    /// # Errors
    /// [`ServeError::Origin`] and [`ServeError::Random`].
    pub fn new(engine: Engine, model: Model, metrics: Metrics, clock: Arc<dyn Clock>, config: ServerConfig) -> Result<Self, ServeError> {
        let origins = config.cors_origins.iter().map(|origin| read_origin(origin)).collect::<Result<_, _>>()?;
        let entropy = config.entropy.map_or_else(|| getrandom::u64().map_err(ServeError::Random), Ok)?;
        let Files { name, causal, tokenizer, prompt } = model.into_files();
        let app = App {
            engine,
            names: std::iter::once(name).chain(config.aliases.iter().cloned()).collect(),
            adapters: Adapters::new(causal, config.lora_dir.clone(), config.max_loras),
            vocabulary: Vocabulary::new(Arc::clone(&tokenizer)),
            prompt,
            tokenizer,
            embedder: None,
            reranker: None,
            loading: LoadingQueue::new(),
            metrics,
            draws: Draws::new(entropy),
            config,
            started: unix_seconds(&*clock),
            clock,
            draining: AtomicBool::new(false),
            handling: AtomicUsize::new(0),
        };
        Ok(Self { app, origins })
    }

    /// Answers with an adapter too, by its name. Of two with one name the later counts.
    ///
    /// # Errors
    /// [`ServeError::Adapter`] where it is called as the model is, or more than [`ServerConfig::max_loras`] are given.
    pub fn with_adapter(self, adapter: LoraAdapter) -> Result<Self, ServeError> {
        let name = adapter.name().to_owned();
        if self.app.names.contains(&name) {
            return Err(ServeError::Adapter { name, reason: "the model itself has this name".to_owned() });
        }
        let added = self.app.adapters.add(Loaded { adapter, path: None }, true);
        added.map_err(|error| ServeError::Adapter { name, reason: error.body.message })?;
        Ok(self)
    }

    /// Answers `/v1/embeddings` too, by the encoder's name. It computes on the engine's thread, between the engine's answers: see [`PooledRequest`].
    ///
    /// [`PooledRequest`]: crate::PooledRequest
    pub fn with_sentence_encoder(self, encoder: SentenceEncoder) -> Self {
        self.with_embedder(Arc::new(encoder))
    }

    /// As [`with_sentence_encoder`](Self::with_sentence_encoder), with any embedder that counts tokens.
    pub fn with_embedder<E: Embedder + TokenCounter + 'static>(mut self, model: Arc<E>) -> Self {
        self.app.embedder = Some(EmbeddingModel { name: model.info().name.clone(), counter: Arc::clone(&model) as _, model });
        self
    }

    /// Answers `/v1/score` and `/v1/rerank` too, by the encoder's name; it computes where a sentence encoder does.
    pub fn with_cross_encoder(self, encoder: CrossEncoder) -> Self {
        let encoder = Arc::new(encoder);
        let max_tokens = encoder.classifier().tokenizer().max_tokens();
        let counter = Arc::clone(&encoder);
        // A text that cannot be cut into tokens fails when it is scored.
        let count = move |text: &str| counter.classifier().tokenizer().encode_plain(text).map_or(0, |tokens| tokens.len());
        self.with_reranker(encoder, count, max_tokens)
    }

    /// As [`with_cross_encoder`](Self::with_cross_encoder), with any reranker, that reads `max_tokens` of a pair, and the tokens of a text as
    /// `count` tells them.
    pub fn with_reranker(
        mut self,
        model: Arc<dyn Reranker>,
        count: impl Fn(&str) -> usize + Send + Sync + 'static,
        max_tokens: usize,
    ) -> Self {
        self.app.reranker = Some(ScoringModel { name: model.name().to_owned(), model, count: Box::new(count), max_tokens });
        self
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.app.engine
    }

    /// The routes, for tests and for servers of which this one is a part. Access is checked as configured; draining is the caller's.
    pub fn into_router(self) -> Router {
        router(Arc::new(self.app), self.origins)
    }

    /// Listens on the configured address.
    ///
    /// # Errors
    /// [`ServeError::Exposed`], and [`ServeError::Io`] where the address cannot be had.
    pub async fn bind(&self) -> Result<TcpListener, ServeError> {
        self.check_access(self.app.config.address)?;
        Ok(TcpListener::bind(self.app.config.address).await?)
    }

    /// Serves until `shutdown` is there and all requests that were taken by then are answered, or the deadline for that has passed.
    ///
    /// While it drains, the server still listens: `/ready` and new requests are answered with 503. At the deadline what is open ends with an
    /// error.
    ///
    /// # Errors
    /// [`ServeError::Exposed`] where the listener is open to others and no key is asked for; [`ServeError::Io`].
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        self.check_access(listener.local_addr()?)?;
        let app = Arc::new(self.app);
        let (drained, all_drained) = oneshot::channel();
        let draining = Arc::clone(&app);
        let stop = async move {
            shutdown.await;
            drain(&draining).await;
            // Who waits for it is gone only where the server is.
            let _ = drained.send(());
        };
        let serving = connections::serve(listener, router(Arc::clone(&app), self.origins), app, stop);
        let too_late = async {
            if all_drained.await.is_ok() {
                sleep(FLUSH).await;
            }
        };
        tokio::select! {
            () = serving => Ok(()),
            () = too_late => Ok(()),
        }
    }

    fn check_access(&self, address: SocketAddr) -> Result<(), ServeError> {
        let config = &self.app.config;
        let closed = address.ip().to_canonical().is_loopback() || !config.api_keys.is_empty() || config.allow_open_access;
        if closed { Ok(()) } else { Err(ServeError::Exposed(address)) }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("names", &self.app.names).field("config", &self.app.config).finish_non_exhaustive()
    }
}

/// Takes nothing more, and waits until nothing is open; fails what is left at the deadline.
async fn drain(app: &App) {
    app.draining.store(true, Ordering::Release);
    app.engine.close();
    let deadline = app.clock.now().saturating_add(app.config.drain_timeout);
    while !(app.engine.is_idle() && app.handling.load(Ordering::Acquire) == 0) {
        if app.clock.now() >= deadline {
            tracing::warn!(running = app.engine.stats().running, "requests are given up at the deadline for stopping");
            return app.engine.abort();
        }
        sleep(DRAIN_POLL).await;
    }
}

fn read_origin(origin: &str) -> Result<HeaderValue, ServeError> {
    let is_origin = origin.split_once("://").is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty() && !host.contains('/'));
    HeaderValue::from_str(origin).ok().filter(|_| is_origin).ok_or_else(|| ServeError::Origin(origin.to_owned()))
}
