use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    Error,
    wire::{ErrorBody, Kind},
};

/// What is answered where something is not done: a status, and why.
pub(super) struct Failure(pub(super) u16, pub(super) ErrorBody);

impl Failure {
    /// The request itself is wrong.
    pub(super) fn bad(status: u16, why: String) -> Self {
        Self(status, ErrorBody::new(3, why.clone(), Kind::Invalid(why)))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (status, body) = ErrorBody::of(&error);
        if status >= 500 {
            tracing::debug!(%error, "a request failed");
        }
        Self(status, body)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(status, body) = self;
        let mut response = json(&body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response
    }
}

/// `body` as JSON.
pub(super) fn json<T: Serialize>(body: &T) -> Response {
    let text = serde_json::to_vec(body).expect("answers are plain data, which JSON can always write");
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
