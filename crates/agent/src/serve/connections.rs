use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Sleep, sleep};

use super::DashboardConfig;

/// How long to wait where the system gives no connection: it is out of files, say.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves connections until `stop`, and then those that are open to their end.
pub(super) async fn serve(listener: TcpListener, router: Router, config: &DashboardConfig, stop: impl Future<Output = ()>) {
    let most = u32::try_from(config.max_connections).unwrap_or(u32::MAX).max(1);
    let seats = Arc::new(Semaphore::new(most as usize));
    let (stopping, stopped) = watch::channel(false);
    let mut stop = pin!(stop);
    loop {
        let (stream, seat) = tokio::select! {
            () = &mut stop => break,
            taken = accept(&listener, &seats) => taken,
        };
        let (router, config, stopped) = (router.clone(), config.clone(), stopped.clone());
        tokio::spawn(async move {
            talk(stream, router, &config, stopped).await;
            drop(seat);
        });
    }
    drop(listener);
    stopping.send_replace(true);
    // The semaphore is never closed: this ends with the last connection.
    let _ = seats.acquire_many(most).await;
}

async fn accept(listener: &TcpListener, seats: &Arc<Semaphore>) -> (TcpStream, tokio::sync::OwnedSemaphorePermit) {
    let seat = Arc::clone(seats).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Events go out one by one; a connection that cannot be told so is only slower.
                let _ = stream.set_nodelay(true);
                return (stream, seat);
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Answers the requests of a connection, one after another. One that breaks off takes what it waits for with it.
async fn talk(stream: TcpStream, router: Router, config: &DashboardConfig, mut stopped: watch::Receiver<bool>) {
    let io = TokioIo::new(Patient { stream, patience: config.write_timeout, waiting: None });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(config.header_timeout);
    let mut connection = pin!(server.serve_connection(io, TowerToHyperService::new(router)));
    tokio::select! {
        _ = connection.as_mut() => {}
        () = asked(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                _ = connection => {}
                () = given_up(&mut stopped) => {}
            }
        }
    }
}

/// Waits until the dashboard is asked to stop.
async fn asked(stopped: &mut watch::Receiver<bool>) {
    // Where nobody can ask any more, it is stopped.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Waits until the dashboard no longer waits for its connections.
async fn given_up(stopped: &mut watch::Receiver<bool>) {
    while stopped.changed().await.is_ok() {}
}

/// A connection that breaks where the other side takes nothing for too long.
struct Patient {
    stream: TcpStream,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn limited<T>(&mut self, context: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.waiting = None;
            return done;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.limited(context, done)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_flush(context);
        self.limited(context, done)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.limited(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
