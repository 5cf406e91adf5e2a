use std::time::Duration;

use jarre_core::{Error, ErrorKind, Result, Timestamp};
use reqwest::{Response, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;

use crate::{Endpoint, failure::transport, wait::within};

/// The body of an answer, read piece by piece. Dropping it closes the connection, which tells the provider to stop.
pub(crate) struct Body {
    response: Response,
    endpoint: Endpoint,
    /// Bytes that may still come.
    left: usize,
    idle: Duration,
    deadline: Option<Timestamp>,
}

impl Body {
    pub(crate) fn new(response: Response, endpoint: Endpoint, limit: usize, idle: Duration, deadline: Option<Timestamp>) -> Self {
        Self { response, endpoint, left: limit, idle, deadline }
    }

    /// Whether the provider says that this is a stream of events.
    pub(crate) fn is_event_stream(&self) -> bool {
        let kind = self.response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        kind.trim_start().get(..17).is_some_and(|start| start.eq_ignore_ascii_case("text/event-stream"))
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] where it does not come in time, [`ErrorKind::Unavailable`] where the connection breaks,
    /// [`ErrorKind::InvalidResponse`] where the answer is longer than it may be.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let (clock, what) = (self.endpoint.clock(), "waiting for the next piece of the answer");
        let piece = within(clock, self.deadline, self.idle, what, self.response.chunk()).await?;
        let Some(piece) = piece.map_err(|error| transport(self.endpoint.provider(), error))? else { return Ok(None) };
        self.left = self.left.checked_sub(piece.len()).ok_or_else(|| {
            Error::new(ErrorKind::InvalidResponse, format!("the answer of {} is longer than it may be", self.endpoint.provider()))
        })?;
        Ok(Some(piece.to_vec()))
    }

    pub(crate) async fn all(mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    pub(crate) async fn json<T: DeserializeOwned>(self) -> Result<T> {
        let provider = self.endpoint.provider().to_owned();
        serde_json::from_slice(&self.all().await?).map_err(|error| {
            Error::new(ErrorKind::InvalidResponse, format!("the answer of {provider} cannot be read: {error}")).with_source(error)
        })
    }

    /// As much as comes before anything goes wrong.
    pub(crate) async fn beginning(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Ok(Some(piece)) = self.next().await {
            bytes.extend_from_slice(&piece);
        }
        bytes
    }
}
