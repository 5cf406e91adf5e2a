use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, header};
use jarre_openai::ApiError;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::ProxyConfig;
use super::failure::Answer;

/// Bytes beyond the limit that are read and thrown away, so that a client that writes before it reads gets to read why it was refused.
const MAX_SURPLUS: usize = 32 << 20;

/// The bytes of a body, as far as the proxy takes them.
pub(super) async fn read(config: &ProxyConfig, headers: &HeaderMap, body: Body) -> Answer<Bytes> {
    let limit = config.max_body_bytes;
    let waits = headers.get(header::EXPECT).is_some();
    if waits && stated_length(headers).is_some_and(|length| length > limit) {
        return Err(ApiError::too_large(limit).into());
    }
    let read = timeout(config.body_timeout, take(body, limit)).await;
    Ok(read.map_err(|_| ApiError::new(408, "invalid_request_error", Some("timeout"), "the body of the request did not come in time"))??)
}

fn stated_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn take(mut body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let (mut taken, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| ApiError::invalid_request("the body of the request broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= limit {
            taken.extend_from_slice(&data);
        } else {
            taken = Vec::new();
        }
        if length > limit.saturating_add(MAX_SURPLUS) {
            break;
        }
    }
    if length > limit { Err(ApiError::too_large(limit)) } else { Ok(taken.into()) }
}

/// Reads a request that is the proxy's own, as strictly as `OpenAI`'s are read.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| ApiError::invalid_request(format!("the body of the request cannot be read: {error}")))
}
