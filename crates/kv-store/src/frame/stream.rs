use std::{future::Future, time::Duration};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::{
    Frame, FrameError, Result,
    codec::{FIRST_KIND, HEADER, Header},
};

/// Frames that come in.
#[derive(Debug)]
pub struct FrameReader<R> {
    stream: BufReader<R>,
    max_payload: u32,
    is_broken: bool,
}

/// Frames that go out.
#[derive(Debug)]
pub struct FrameWriter<W> {
    stream: W,
    max_payload: u32,
    is_broken: bool,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// Reads frames whose payloads are at most `max_payload` bytes.
    pub fn new(stream: R, max_payload: u32) -> Self {
        Self { stream: BufReader::new(stream), max_payload, is_broken: false }
    }

    /// The next frame, which must be here whole before `limit` is over. Needs a tokio runtime with a timer.
    ///
    /// # Errors
    /// [`FrameError::Closed`] where the peer is done, [`FrameError::TimedOut`], or what is wrong with the frame. After each of them, and after a
    /// call that was dropped before its end, all later calls fail with [`FrameError::Broken`].
    pub async fn receive(&mut self, limit: Duration) -> Result<Frame> {
        let frame = self.receive_any(limit).await?;
        if frame.kind < FIRST_KIND {
            self.is_broken = true;
            return Err(FrameError::ReservedKind { kind: frame.kind });
        }
        Ok(frame)
    }

    /// [`receive`](Self::receive), the handshake's frames included.
    pub(super) async fn receive_any(&mut self, limit: Duration) -> Result<Frame> {
        if std::mem::replace(&mut self.is_broken, true) {
            return Err(FrameError::Broken);
        }
        let frame = within(limit, "receiving a frame", self.read()).await?;
        self.is_broken = false;
        Ok(frame)
    }

    async fn read(&mut self) -> Result<Frame> {
        let header = self.fill(HEADER).await?;
        let Some(header) = header.first_chunk().filter(|_| header.len() == HEADER) else {
            return Err(match header.len() {
                0 => FrameError::Closed,
                got => FrameError::Truncated { got, needed: HEADER },
            });
        };
        let header = Header::parse(header, self.max_payload)?;
        let payload = self.fill(header.len as usize).await?;
        if payload.len() < header.len as usize {
            return Err(FrameError::Truncated { got: payload.len(), needed: header.len as usize });
        }
        header.with_payload(payload)
    }

    /// Up to `count` bytes, fewer where the stream ends. Room is made as they arrive, not as they are announced.
    async fn fill(&mut self, count: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.stream).take(count as u64).read_to_end(&mut bytes).await.map_err(FrameError::io("receive a frame"))?;
        Ok(bytes)
    }
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    /// Writes frames whose payloads are at most `max_payload` bytes.
    pub fn new(stream: W, max_payload: u32) -> Self {
        Self { stream, max_payload, is_broken: false }
    }

    /// Sends a frame; the stream must have taken it before `limit` is over. That it was sent does not say that it arrived. Needs a tokio
    /// runtime with a timer.
    ///
    /// # Errors
    /// [`FrameError::TooLarge`] or [`FrameError::ReservedKind`], with nothing sent; [`FrameError::TimedOut`] or [`FrameError::Io`], after which,
    /// and after a call that was dropped before its end, all later calls fail with [`FrameError::Broken`].
    pub async fn send(&mut self, frame: &Frame, limit: Duration) -> Result<()> {
        if frame.kind < FIRST_KIND {
            return Err(FrameError::ReservedKind { kind: frame.kind });
        }
        self.send_any(frame, limit).await
    }

    /// [`send`](Self::send), the handshake's frames included.
    pub(super) async fn send_any(&mut self, frame: &Frame, limit: Duration) -> Result<()> {
        let bytes = frame.encode(self.max_payload)?;
        if std::mem::replace(&mut self.is_broken, true) {
            return Err(FrameError::Broken);
        }
        let sending = async {
            self.stream.write_all(&bytes).await.map_err(FrameError::io("send a frame"))?;
            self.stream.flush().await.map_err(FrameError::io("send a frame"))
        };
        within(limit, "sending a frame", sending).await?;
        self.is_broken = false;
        Ok(())
    }
}

async fn within<T>(limit: Duration, action: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(FrameError::TimedOut { action, limit }))
}
