use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use jarre_core::{ChatModel, Clock};
use jarre_guardrails::Guard;
use jarre_guardrails::guarded::{Guarded, GuardedConfig, Memory};
use jarre_guardrails::pipeline::Pipeline;
use jarre_openai::ApiError;

use super::failure::Failure;
use super::gate::Gate;
use super::ids::Ids;
use super::ledger::Ledger;
use super::metrics::Metrics;
use super::moderations::{self, Moderator};
use super::{DecisionLog, ProxyConfig, Upstream, auth, chat, check, probes};

/// What all handlers share.
pub(crate) struct App {
    pub(super) config: ProxyConfig,
    pub(super) upstream: Upstream,
    pub(super) pipeline: Pipeline,
    guarding: GuardedConfig,
    memory: Arc<Memory>,
    restore: Option<Arc<dyn Guard>>,
    /// The tools whose calls get values as well.
    restored_tools: Arc<[String]>,
    pub(super) moderator: Option<Moderator>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) metrics: Metrics,
    pub(super) gate: Gate,
    pub(super) ids: Ids,
    pub(super) clock: Arc<dyn Clock>,
}

impl App {
    /// A proxy before `upstream`, with `pipeline` between. `entropy` tells its answers from those of other proxies.
    pub(crate) fn new(config: ProxyConfig, upstream: Upstream, pipeline: Pipeline, clock: Arc<dyn Clock>, entropy: u64) -> Self {
        let metrics = Metrics::new(&pipeline);
        let ledger = Arc::new(Ledger::new(metrics.clone(), clock.clone()));
        let gate = Gate::new(config.max_in_flight, config.retry_after, metrics.in_flight.clone());
        let pipeline = pipeline.with_sink(ledger.clone());
        Self {
            config,
            upstream,
            pipeline,
            guarding: GuardedConfig::default(),
            memory: Arc::new(Memory::new(GuardedConfig::default().remember)),
            restore: None,
            restored_tools: Arc::default(),
            moderator: None,
            ledger,
            metrics,
            gate,
            ids: Ids::new(entropy),
            clock,
        }
    }

    /// Writes every decision to `log`.
    pub(crate) fn with_log(mut self, log: DecisionLog) -> Self {
        let ledger = Ledger::new(self.metrics.clone(), self.clock.clone()).with_log(log);
        self.ledger = Arc::new(ledger);
        self.pipeline = self.pipeline.with_sink(self.ledger.clone());
        self
    }

    /// Says what happens where a text is stopped.
    pub(crate) fn with_guarding(self, guarding: GuardedConfig) -> Self {
        let memory = Arc::new(Memory::new(guarding.remember));
        Self { guarding, memory, ..self }
    }

    /// Has `guard` put pseudonyms back in answers.
    pub(crate) fn with_restore(self, guard: Arc<dyn Guard>) -> Self {
        Self { restore: Some(guard), ..self }
    }

    /// Has it put them back in the arguments of calls to these tools, too.
    pub(crate) fn restoring_in_calls(self, tools: &[String]) -> Self {
        Self { restored_tools: tools.into(), ..self }
    }

    /// Answers `/v1/moderations` with `moderator`.
    pub(crate) fn with_moderator(mut self, moderator: Moderator) -> Self {
        self.moderator = Some(moderator);
        self
    }

    /// `model` behind the guards.
    pub(super) fn guarded<M: ChatModel>(&self, model: M) -> Guarded<M> {
        let guarded = Guarded::new(model, self.pipeline.clone(), self.guarding.clone()).with_memory(self.memory.clone());
        let Some(guard) = &self.restore else { return guarded };
        let (guarded, tools) = (guarded.with_restore(guard.clone()), self.restored_tools.clone());
        if tools.is_empty() {
            return guarded;
        }
        guarded.with_restore_in_calls(guard.clone(), move |tool| tools.iter().any(|named| named == tool))
    }
}

/// The routes. Access is checked as configured; stopping is the caller's.
pub(crate) fn app(state: Arc<App>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat::create))
        .route("/v1/moderations", post(moderations::create))
        .route("/v1/guard/check", post(check::create))
        .route("/v1/models", get(probes::models))
        .route("/health", get(probes::health))
        .route("/ready", get(probes::ready))
        .route("/metrics", get(probes::metrics))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&state), auth::check))
        .layer(from_fn_with_state(Arc::clone(&state), count))
        .with_state(state)
}

async fn unknown_path(request: Request) -> Failure {
    Failure(ApiError::not_found(format!("there is no endpoint {}", request.uri().path())))
}

async fn wrong_method(request: Request) -> Failure {
    let told = format!("{} does not answer to {}", request.uri().path(), request.method());
    Failure(ApiError::new(405, "invalid_request_error", Some("method_not_allowed"), told))
}

/// Counts requests. Labels are routes and known methods, so that nobody can make labels without end.
async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        _ => "other",
    };
    let start = app.clock.now();
    let response = next.run(request).await;
    app.metrics.answered(&route, method, response.status().as_u16(), app.clock.now().saturating_sub(start));
    response
}
