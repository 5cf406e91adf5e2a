use std::time::Duration;

use jarre_core::ErrorKind;
use serde::{Deserialize, Serialize};

use crate::lenient::{code, or_default};

/// A result whose error a server answers with, or a client was answered with.
pub type Result<T, E = ApiError> = std::result::Result<T, E>;

/// A failure as the API states it: an HTTP status and a body.
///
/// ```
/// use jarre_openai::ChatCompletionRequest;
///
/// let error = ChatCompletionRequest::from_json(br#"{"model": "m", "messages": [], "temprature": 0}"#).unwrap_err();
/// assert_eq!(error.status, 400);
/// assert_eq!(error.body.param.as_deref(), Some("messages"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", body.message)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What went wrong.
    pub body: ErrorBody,
    /// How long the client is asked to wait before another try: the header `Retry-After`.
    pub retry_after: Option<Duration>,
}

/// The object under `error` in the body of a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorBody {
    /// For people.
    #[serde(deserialize_with = "or_default")]
    pub message: String,
    /// The sort of failure, as `invalid_request_error`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: String,
    /// The part of the request that is to blame, as `messages[1].content[0].type`.
    pub param: Option<String>,
    /// The failure's name for programs, as `model_not_found`. Servers that send a number are read too.
    #[serde(deserialize_with = "code")]
    pub code: Option<String>,
}

/// The body of a failure: `{"error": {..}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// What went wrong.
    pub error: ErrorBody,
}

impl ApiError {
    /// A failure of `status`, `type` and `code`.
    pub fn new(status: u16, kind: &str, code: Option<&str>, message: impl Into<String>) -> Self {
        let body = ErrorBody { message: message.into(), kind: kind.into(), param: None, code: code.map(Into::into) };
        Self { status, body, retry_after: None }
    }

    /// 400: the request is malformed or asks for what cannot be done.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", None, message)
    }

    /// 401: the key is missing or refused.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401, "invalid_request_error", Some("invalid_api_key"), message)
    }

    /// 404: there is no such endpoint or resource.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "invalid_request_error", Some("not_found"), message)
    }

    /// 404: `model` is not served here.
    pub fn model_not_found(model: &str) -> Self {
        Self::new(404, "invalid_request_error", Some("model_not_found"), format!("the model '{model}' does not exist")).with_param("model")
    }

    /// 413: the body is longer than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::new(413, "invalid_request_error", Some("request_too_large"), format!("the request is longer than {limit} bytes"))
    }

    /// 429: too many requests; `retry_after` says when to come again.
    pub fn rate_limited(message: impl Into<String>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(429, "rate_limit_error", Some("rate_limit_exceeded"), message) }
    }

    /// 500: a defect of the server.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, "server_error", Some("internal_error"), message)
    }

    /// 503: the server is starting, stopping or overloaded.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(503, "server_error", Some("service_unavailable"), message)
    }

    /// Names the part of the request that is to blame.
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.body.param = Some(param.into());
        self
    }

    /// Names the failure for programs.
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.body.code = Some(code.into());
        self
    }

    /// The body to answer with.
    pub fn response(&self) -> ErrorResponse {
        ErrorResponse { error: self.body.clone() }
    }

    /// What a server answered that did not succeed. Every shape in use is understood: `{"error": {..}}`, the error's fields at the top,
    /// `{"error": "text"}`, `{"detail": ..}`, and anything else as text, of which the beginning is kept.
    pub fn from_response(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let body = read_body(body).unwrap_or_else(|| ErrorBody { message: beginning(body, status), ..ErrorBody::default() });
        Self { status, body, retry_after }
    }

    /// What kind of failure this is for a caller of `jarre_core`'s contracts.
    pub fn kind(&self) -> ErrorKind {
        match self.body.code.as_deref().unwrap_or_default() {
            "context_length_exceeded" => ErrorKind::ContextLength,
            "content_filter" | "content_policy_violation" => ErrorKind::Refused,
            // An account that has run dry answers 429 until somebody pays: waiting does not help.
            "insufficient_quota" => ErrorKind::Authentication,
            _ => kind_of_status(self.status),
        }
    }
}

fn kind_of_status(status: u16) -> ErrorKind {
    match status {
        401 | 403 => ErrorKind::Authentication,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        429 => ErrorKind::RateLimited,
        499 => ErrorKind::Cancelled,
        500 => ErrorKind::Internal,
        400..=498 => ErrorKind::InvalidRequest,
        501..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::InvalidResponse,
    }
}

/// A client's view: the body's message, and the wait that the server asked for.
impl From<ApiError> for jarre_core::Error {
    fn from(error: ApiError) -> Self {
        let (wait, core) = (error.retry_after, Self::new(error.kind(), error.body.message.clone()).with_source(error));
        match wait {
            Some(wait) => core.with_retry_after(wait),
            None => core,
        }
    }
}

/// A server's view: what to answer where a model failed. Messages of defects are not given away.
impl From<&jarre_core::Error> for ApiError {
    fn from(error: &jarre_core::Error) -> Self {
        let message = error.to_string();
        let answer = match error.kind() {
            ErrorKind::Authentication => Self::unauthorized(message),
            ErrorKind::Cancelled => Self::new(499, "invalid_request_error", Some("cancelled"), message),
            ErrorKind::ContextLength => Self::invalid_request(message).with_code("context_length_exceeded"),
            ErrorKind::InvalidRequest => Self::invalid_request(message),
            ErrorKind::InvalidResponse => Self::new(502, "server_error", Some("bad_gateway"), message),
            ErrorKind::NotFound => Self::not_found(message),
            ErrorKind::RateLimited => Self::new(429, "rate_limit_error", Some("rate_limit_exceeded"), message),
            ErrorKind::Refused => Self::invalid_request(message).with_code("content_policy_violation"),
            ErrorKind::Timeout => Self::new(504, "server_error", Some("timeout"), message),
            ErrorKind::Unavailable => Self::unavailable(message),
            _ => Self::internal("the server could not answer the request because of a defect"),
        };
        Self { retry_after: error.retry_after(), ..answer }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AnyBody {
    Wrapped { error: ErrorBody },
    Text { error: String },
    Detail { detail: serde_json::Value },
    Bare(BareBody),
}

#[derive(Deserialize)]
struct BareBody {
    message: String,
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    kind: String,
    #[serde(default)]
    param: Option<String>,
    #[serde(default, deserialize_with = "code")]
    code: Option<String>,
}

fn read_body(body: &[u8]) -> Option<ErrorBody> {
    let told = |message| ErrorBody { message, ..ErrorBody::default() };
    let read = match serde_json::from_slice(body).ok()? {
        AnyBody::Wrapped { error } => error,
        AnyBody::Text { error } => told(error),
        AnyBody::Detail { detail } => told(detail.as_str().map_or_else(|| detail.to_string(), Into::into)),
        AnyBody::Bare(BareBody { message, kind, param, code }) => ErrorBody { message, kind, param, code },
    };
    (!read.message.is_empty()).then_some(read)
}

fn beginning(body: &[u8], status: u16) -> String {
    const KEPT: usize = 500;
    let text = String::from_utf8_lossy(&body[..body.len().min(KEPT)]);
    match text.trim() {
        "" => format!("the server answered with status {status} and said no more"),
        text => format!("the server answered with status {status}: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_have_the_documented_form() {
        let body = serde_json::to_value(ApiError::model_not_found("x").response()).unwrap();
        let expected = json!({"error": {"message": "the model 'x' does not exist", "type": "invalid_request_error",
                                        "param": "model", "code": "model_not_found"}});
        assert_eq!(body, expected);
        let nameless = serde_json::to_value(ApiError::invalid_request("no").response()).unwrap();
        assert_eq!(nameless["error"]["param"], json!(null), "null rather than absent");
        assert_eq!(nameless["error"]["code"], json!(null));
    }

    #[test]
    fn bodies_of_other_servers_are_read() {
        let message = |body: &str| ApiError::from_response(400, body.as_bytes(), None).body;
        assert_eq!(message(r#"{"error": {"message": "a", "code": 400}}"#).code.as_deref(), Some("400"));
        assert_eq!(message(r#"{"error": "a"}"#).message, "a");
        assert_eq!(message(r#"{"object": "error", "message": "a", "type": "BadRequestError", "code": 400}"#).kind, "BadRequestError");
        assert_eq!(message(r#"{"detail": "Not Found"}"#).message, "Not Found");
        assert_eq!(message(r#"{"detail": [{"loc": ["body"]}]}"#).message, r#"[{"loc":["body"]}]"#);
        assert_eq!(message("<html>bad gateway").message, "the server answered with status 400: <html>bad gateway");
        assert_eq!(message(&"é".repeat(4000)).message.chars().filter(|&c| c == 'é').count(), 250);
        assert!(message(" ").message.contains("said no more"));
        assert!(message(r#"{"error": {}}"#).message.contains("status 400"));
    }

    #[test]
    fn kinds_survive_the_wire() {
        let kinds = [
            ErrorKind::Authentication,
            ErrorKind::Cancelled,
            ErrorKind::ContextLength,
            ErrorKind::Internal,
            ErrorKind::InvalidRequest,
            ErrorKind::NotFound,
            ErrorKind::RateLimited,
            ErrorKind::Refused,
            ErrorKind::Timeout,
            ErrorKind::Unavailable,
        ];
        for kind in kinds {
            let sent = ApiError::from(&jarre_core::Error::new(kind, "why").with_retry_after(Duration::from_secs(3)));
            let body = serde_json::to_vec(&sent.response()).unwrap();
            let back = jarre_core::Error::from(ApiError::from_response(sent.status, &body, sent.retry_after));
            assert_eq!((back.kind(), back.retry_after()), (kind, Some(Duration::from_secs(3))));
            assert_eq!(back.to_string() == "why", kind != ErrorKind::Internal, "{back}");
        }
        // The one that cannot: what one server could not understand is another's outage.
        assert_eq!(ApiError::from(&jarre_core::Error::new(ErrorKind::InvalidResponse, "")).kind(), ErrorKind::Unavailable);
        let dry = ApiError::from_response(429, br#"{"error": {"message": "pay", "code": "insufficient_quota"}}"#, None);
        assert!(!jarre_core::Error::from(dry).is_retryable());
    }
}
