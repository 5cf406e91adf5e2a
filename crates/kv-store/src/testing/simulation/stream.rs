use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::network::{End, What, Wires};

/// One end of a connection.
pub(super) struct SimStream {
    wires: Wires,
    connection: u64,
    at: usize,
}

impl SimStream {
    pub(super) fn new(wires: Wires, connection: u64, at: usize) -> Self {
        Self { wires, connection, at }
    }

    /// Waits until the other side has answered.
    pub(super) async fn opened(&self) -> io::Result<()> {
        std::future::poll_fn(|context| self.with(context, |end| if end.is_open { Poll::Ready(Ok(())) } else { Poll::Pending })).await
    }

    /// Looks at this end, and waits for news where that finds nothing. An end that was reset has nothing.
    fn with<T>(&self, context: &Context<'_>, look: impl FnOnce(&mut End) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let mut state = self.wires.lock();
        let connection = state.connections.get_mut(&self.connection).expect("an end of it is held");
        let end = &mut connection.ends[self.at];
        if end.is_reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let found = look(end);
        if found.is_pending() {
            end.waker = Some(context.waker().clone());
        }
        found
    }
}

impl AsyncRead for SimStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.with(context, |end| {
            if end.came.is_empty() && !end.has_ended {
                return Poll::Pending;
            }
            let (bytes, _) = end.came.as_slices();
            let count = bytes.len().min(buffer.remaining());
            buffer.put_slice(&bytes[..count]);
            end.came.drain(..count);
            Poll::Ready(Ok(()))
        })
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.with(context, |_| Poll::Ready(Ok(()))) {
            Poll::Ready(Ok(())) => self.wires.lock().send(self.connection, self.at, What::Bytes(bytes.to_vec())),
            other => return other.map_ok(|()| 0),
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wires.lock().send(self.connection, self.at, What::End);
        Poll::Ready(Ok(()))
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        let mut state = self.wires.lock();
        let Some(connection) = state.connections.get_mut(&self.connection) else { return };
        let end = &mut connection.ends[self.at];
        end.waker = None;
        // A process that is gone sends nothing.
        if std::mem::take(&mut end.is_held) && !end.is_reset {
            state.send(self.connection, self.at, What::End);
        }
    }
}
