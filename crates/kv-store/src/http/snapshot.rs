use std::{
    io::{self, Write},
    sync::Arc,
};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use futures_core::Stream;
use tokio::sync::mpsc;

use super::{App, failure::Failure};
use crate::Result;

/// Parts that are written ahead of a slow reader.
const AHEAD: usize = 4;

/// The store as it is now. One that breaks off has no end, and is not taken for a whole one.
pub(super) async fn snapshot(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let (sender, parts) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        let failed = sender.clone();
        if let Err(error) = app.store.snapshot(Box::new(Parts(sender))).await {
            tracing::warn!(%error, "a snapshot broke off");
            // The client may have gone away.
            let _ = failed.send(Err(io::Error::other(error))).await;
        }
    });
    let mut response = Response::new(Body::from_stream(Received(parts)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    Ok(response)
}

/// Sends what is written, on a thread that may wait.
struct Parts(mpsc::Sender<io::Result<Vec<u8>>>);

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.blocking_send(Ok(bytes.to_vec())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Received(mpsc::Receiver<io::Result<Vec<u8>>>);

impl Stream for Received {
    type Item = io::Result<Vec<u8>>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
