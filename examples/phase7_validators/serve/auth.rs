use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jarre_openai::ApiError;

use super::App;
use super::failure::Failure;

/// Lets pass who has a key, where keys are asked for; probes need none.
pub(super) async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let is_open = matches!(request.uri().path(), "/health" | "/ready");
    let keys = &app.config.keys;
    if is_open || keys.is_empty() {
        return next.run(request).await;
    }
    match bearer(request.headers()) {
        Some(key) if keys.accept(key) => next.run(request).await,
        Some(_) => refuse("the API key is not one of this proxy's"),
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
