use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{Accept, TlsAcceptor, server::TlsStream};

/// A connection that was taken, whose handshake is made by whoever first reads or writes: nobody else waits for it, and the deadline of
/// that read is the handshake's too.
pub(crate) enum Accepting<S> {
    Shaking(Accept<S>),
    Open(TlsStream<S>),
    /// The handshake failed, or the connection ended before it was over.
    Over,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Accepting<S> {
    pub(crate) fn new(stream: S, config: Arc<ServerConfig>) -> Self {
        Self::Shaking(TlsAcceptor::from(config).accept(stream))
    }

    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<io::Result<&mut TlsStream<S>>> {
        if let Self::Shaking(accept) = self {
            let shaken = ready!(Pin::new(accept).poll(context));
            *self = Self::Over;
            *self = Self::Open(shaken?);
        }
        Poll::Ready(match self {
            Self::Open(stream) => Ok(stream),
            Self::Shaking(_) | Self::Over => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Accepting<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(ready!(self.poll_open(context))?).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Accepting<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(ready!(self.poll_open(context))?).poll_write(context, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(ready!(self.poll_open(context))?).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Open(stream) => Pin::new(stream).poll_flush(context),
            // Nothing was written yet.
            Self::Shaking(_) | Self::Over => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Open(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Shaking(_) | Self::Over => {
                *self = Self::Over;
                Poll::Ready(Ok(()))
            }
        }
    }
}
