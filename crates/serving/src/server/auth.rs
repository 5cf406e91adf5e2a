use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jarre_openai::ApiError;

use super::app::App;
use super::failure::Failure;

/// Lets pass who has a key, where keys are asked for.
pub(super) async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let open = match request.uri().path() {
        "/health" | "/ready" => true,
        "/metrics" => app.config.public_metrics,
        _ => false,
    };
    let keys = &app.config.api_keys;
    if open || keys.is_empty() {
        return next.run(request).await;
    }
    match bearer(request.headers()) {
        Some(key) if keys.accept(key) => next.run(request).await,
        Some(_) => refuse("the API key is not one of this server's"),
        None => refuse("the API key is missing: send it in the header 'Authorization: Bearer ..'"),
    }
}

fn refuse(why: &str) -> Response {
    Failure(ApiError::unauthorized(why)).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}
