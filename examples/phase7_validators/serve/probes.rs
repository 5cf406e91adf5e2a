use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::App;
use super::failure::{self, Answer};

/// `GET /v1/models`: the upstream's, and the proxy's names for them.
pub(super) async fn models(State(app): State<Arc<App>>) -> Answer {
    let models = app.upstream.models().await.map_err(|error| app.upstream.failure(&error))?;
    Ok(failure::json(&models))
}

/// `GET /health`: the process lives.
pub(super) async fn health() -> Response {
    failure::json(&json!({"status": "ok"}))
}

/// `GET /ready`: whether requests are taken. The upstream's state is not the proxy's.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.gate.is_closed() {
        return (StatusCode::SERVICE_UNAVAILABLE, failure::json(&json!({"status": "draining"}))).into_response();
    }
    failure::json(&json!({"status": "ready"}))
}

/// `GET /metrics`.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], app.metrics.render()).into_response()
}
