use std::io;

use http_body_util::BodyExt;
use hyper::{Method, body::Bytes};

use super::call::Caller;
use crate::{Error, Result, SnapshotInfo, snapshot};

/// Writes a snapshot that a server sends to `to`, and holds it to its checksums on the way.
pub(super) async fn save(caller: &Caller, to: Box<dyn io::Write + Send>) -> Result<SnapshotInfo> {
    let mut body = caller.stream(Method::GET, "/v1/snapshot", Bytes::new()).await?;
    let (parts, came) = std::sync::mpsc::sync_channel::<Bytes>(4);
    // Both the disk and the checks may take their time, which is no work for an executor.
    let checking = tokio::task::spawn_blocking(move || snapshot::copy(Came { came, rest: Bytes::new() }, to));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Error::Unknown { reason: format!("the snapshot broke off: {error}") })?;
        let Ok(mut part) = frame.into_data() else { continue };
        // Without a wait for a disk that is slow: the executor goes on with something else.
        while let Err(std::sync::mpsc::TrySendError::Full(full)) = parts.try_send(part) {
            part = full;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            if checking.is_finished() {
                break;
            }
        }
    }
    drop(parts);
    checking.await.map_err(|_| Error::Closed)?
}

/// What has come, as a reader.
struct Came {
    came: std::sync::mpsc::Receiver<Bytes>,
    rest: Bytes,
}

impl io::Read for Came {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            let Ok(next) = self.came.recv() else { return Ok(0) };
            self.rest = next;
        }
        let taken = self.rest.split_to(out.len().min(self.rest.len()));
        out[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}
