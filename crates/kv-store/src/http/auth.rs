use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq;

use super::{App, failure::Failure};
use crate::wire::{ErrorBody, Kind};

/// Lets pass who has the token, where one is asked for. Whether the server lives may be known to all.
pub(super) async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(token) = &app.config.token else { return next.run(request).await };
    if matches!(request.uri().path(), "/health" | "/ready") {
        return next.run(request).await;
    }
    match bearer(request.headers()) {
        Some(given) if bool::from(given.as_bytes().ct_eq(token.as_bytes())) => next.run(request).await,
        Some(_) => refuse("the token is not this server's"),
        None => refuse("a token is asked for: send it in the header 'Authorization: Bearer ..'"),
    }
}

fn refuse(why: &str) -> Response {
    Failure(401, ErrorBody::new(16, why.to_owned(), Kind::Unauthorized)).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
