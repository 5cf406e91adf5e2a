use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::app::App;
use super::failure;

/// `GET /health`: the process lives, whatever it can do.
pub(super) async fn health() -> Response {
    failure::json(&json!({"status": "ok"}))
}

/// `GET /ready`: whether requests are taken. A full queue does not make a server unready: it says so to each request.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, failure::json(&json!({"status": "draining"}))).into_response();
    }
    if let Some(reason) = app.engine.lost() {
        return (StatusCode::SERVICE_UNAVAILABLE, failure::json(&json!({"status": "lost", "reason": reason}))).into_response();
    }
    failure::json(&json!({"status": "ready"}))
}

/// `GET /metrics`.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let adapters = app.engine.adapter_stats();
    let text = app.metrics.page(&app.engine.stats(), &adapters, app.config.max_loras, app.unix_time());
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

/// `GET /version`.
pub(super) async fn version() -> Response {
    failure::json(&json!({"version": env!("CARGO_PKG_VERSION")}))
}
