use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jarre_report::{Page, Section, excerpt};

use super::page;
use crate::Error;

/// What is answered where what was asked for cannot be done: a page that says why.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    told: String,
}

/// What a handler gives back.
pub(super) type Answer<T = Response> = Result<T, Failure>;

impl Failure {
    pub(super) fn new(status: StatusCode, told: impl Into<String>) -> Self {
        Self { status, told: told.into() }
    }

    pub(super) fn no_run(run: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no run `{run}`"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(told) => Self::new(StatusCode::CONFLICT, told),
            Error::Approval { .. } | Error::Fenced { .. } => Self::new(StatusCode::CONFLICT, error.to_string()),
            Error::NoRun { run } => Self::no_run(&run),
            Error::Log { .. } => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            error => {
                // Paths and addresses of the machine are not for the page.
                tracing::error!(%error, "a run could not be read");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the run could not be read; the dashboard's log says why")
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let title = format!("{} {}", self.status.as_u16(), self.status.canonical_reason().unwrap_or_default());
        let told = Section::new("What happened").text(&excerpt(&self.told, 2000)).html(&page::link("/", "All runs"));
        let mut response = page::respond(self.status, Page::new(title).section(told));
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The rest of the body is not read, so that no other request can follow on it.
        if matches!(self.status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
