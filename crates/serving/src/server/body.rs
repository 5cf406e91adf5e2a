use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, header};
use jarre_openai::ApiError;
use tokio::time::timeout;

use super::config::ServerConfig;
use super::failure::Answer;

/// The bytes of a body, as far as the server takes them.
pub(super) async fn read(config: &ServerConfig, headers: &HeaderMap, body: Body) -> Answer<Bytes> {
    let limit = config.max_body_bytes;
    let stated = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if stated.is_some_and(|length| length > limit as u64) {
        return Err(ApiError::too_large(limit).into());
    }
    let read = timeout(config.body_timeout, to_bytes(body, limit)).await;
    let read =
        read.map_err(|_| ApiError::new(408, "invalid_request_error", Some("timeout"), "the body of the request did not come in time"))?;
    Ok(read.map_err(|error| told(&error, limit))?)
}

fn told(error: &axum::Error, limit: usize) -> ApiError {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        if error.to_string().contains("length limit exceeded") {
            return ApiError::too_large(limit);
        }
        source = error.source();
    }
    ApiError::invalid_request("the body of the request broke off")
}
