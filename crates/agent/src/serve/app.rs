use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use jarre_core::{BoxFuture, Clock};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;

use super::failure::{Answer, Failure};
use super::secret::Secret;
use super::{DashboardConfig, Runs, access, answer, events, list, run, sign_in};
use crate::view::{HtmlOptions, Story};

/// What all handlers share.
pub(super) struct App {
    pub(super) runs: Arc<dyn Runs>,
    pub(super) secret: Secret,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: DashboardConfig,
    /// The names that the dashboard answers to.
    pub(super) hosts: Vec<String>,
    /// The name of the cookie: dashboards on other ports of this machine have others.
    pub(super) cookie: String,
    pub(super) followers: Arc<Semaphore>,
    /// Whether the dashboard was asked to stop.
    pub(super) stopping: watch::Receiver<bool>,
}

impl App {
    pub(super) fn new(
        runs: Arc<dyn Runs>,
        secret: Secret,
        clock: Arc<dyn Clock>,
        config: DashboardConfig,
        address: SocketAddr,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let followers = Arc::new(Semaphore::new(config.max_followers.min(Semaphore::MAX_PERMITS)));
        let (hosts, cookie) = (access::hosts(address, &config.hosts), format!("jarre-agent-{}", address.port()));
        Self { runs, secret, clock, config, hosts, cookie, followers, stopping }
    }

    /// Does what reads a store, or draws a long page, on a thread that may take its time.
    pub(super) async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Self>) -> BoxFuture<'static, Answer<T>> + Send + 'static,
    ) -> Answer<T> {
        let (app, runtime) = (Arc::clone(self), Handle::current());
        let done = spawn_blocking(move || runtime.block_on(work(app))).await;
        done.unwrap_or_else(|_| Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made because of a defect")))
    }

    /// The story of a run so far.
    pub(super) async fn story(&self, run: &str) -> Answer<Story> {
        let records = self.runs.records(run, 0).await?;
        if records.is_empty() { Err(Failure::no_run(run)) } else { Ok(Story::of(&records)) }
    }

    pub(super) fn html_options(&self) -> HtmlOptions {
        HtmlOptions { longest_text: self.config.longest_text, ..HtmlOptions::default() }
    }
}

pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(list::list))
        .route("/runs/{run}", get(run::show))
        .route("/runs/{run}/events", get(events::follow))
        .route("/runs/{run}/export", get(run::export))
        .route("/runs/{run}/approvals", post(answer::answer))
        .route("/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/health", get(|| async { "ok" }))
        .fallback(async |request: Request| Failure::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", request.uri().path())))
        .method_not_allowed_fallback(async |request: Request| {
            let told = format!("{} does not answer to {}", request.uri().path(), request.method());
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, told)
        })
        .layer(DefaultBodyLimit::max(app.config.max_body_bytes))
        .layer(from_fn_with_state(Arc::clone(&app), access::check))
        .with_state(app)
}
