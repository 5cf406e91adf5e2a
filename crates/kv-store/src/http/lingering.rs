use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Bytes that are read and dropped at most.
const MAX_BYTES: usize = 64 << 20;

/// Whether the body of the request that is served was not read to its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

/// A stream whose end lets the other side read the last answer.
///
/// Who is answered before all of a request was read is still sending. Were the stream closed then, the system would tell the sender so by a
/// reset, which drops the answer where it was not read yet. So the way out is closed first, and what comes is read and dropped, until the
/// other side closes too, so much came or so long it took.
pub(super) struct Lingering<S> {
    stream: S,
    unread: Unread,
    patience: Duration,
    /// Once the way out is closed.
    dropping: Option<Dropping>,
}

struct Dropping {
    deadline: Pin<Box<Sleep>>,
    left: usize,
}

/// A body that notes whether it was read to its end.
pub(super) struct Noted<B> {
    body: B,
    unread: Unread,
}

impl Unread {
    /// `body`, which is to be noted here.
    pub(super) fn note<B: HttpBody>(&self, body: B) -> Noted<B> {
        self.0.store(!body.is_end_stream(), SeqCst);
        Noted { body, unread: self.clone() }
    }
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S, unread: Unread, patience: Duration) -> Self {
        Self { stream, unread, patience, dropping: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, unread, patience, dropping } = &mut *self;
        if dropping.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
        }
        if !unread.0.load(SeqCst) {
            return Poll::Ready(Ok(()));
        }
        let dropping = dropping.get_or_insert_with(|| Dropping { deadline: Box::pin(sleep(*patience)), left: MAX_BYTES });
        dropping.poll(stream, context).map(Ok)
    }
}

impl Dropping {
    fn poll(&mut self, stream: &mut (impl AsyncRead + Unpin), context: &mut Context<'_>) -> Poll<()> {
        let mut dropped = [0; 8 << 10];
        while self.left > 0 && self.deadline.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut dropped);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer));
            let count = buffer.filled().len();
            if read.is_err() || count == 0 {
                break;
            }
            self.left = self.left.saturating_sub(count);
        }
        Poll::Ready(())
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Noted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.unread.0.store(false, SeqCst);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
