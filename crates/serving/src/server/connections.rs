use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use jarre_openai::ApiError;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};

use super::app::App;
use super::lingering::{Lingering, Watched};

/// Connections beyond the limit that are told so at a time; further ones are closed without a word.
const MAX_REFUSED: usize = 64;
/// How long to wait where the system gives no connection: it is out of files, say.
const PAUSE: Duration = Duration::from_millis(500);

/// Serves connections until `stop`, and then those that are open to their end.
pub(super) async fn serve(listener: TcpListener, router: Router, app: Arc<App>, stop: impl Future<Output = ()>) {
    let seats = Arc::new(Semaphore::new(app.config.max_connections.clamp(1, Semaphore::MAX_PERMITS)));
    let refused = Arc::new(Semaphore::new(MAX_REFUSED));
    let (stopping, stopped) = watch::channel(false);
    // Every connection has a sender; when all are gone, so are the connections.
    let (open, mut all_closed) = mpsc::channel::<Infallible>(1);
    let mut stop = pin!(stop);
    loop {
        let stream = tokio::select! {
            () = &mut stop => break,
            stream = accept(&listener) => stream,
        };
        if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
            let (router, app, stopped, open) = (router.clone(), Arc::clone(&app), stopped.clone(), open.clone());
            tokio::spawn(async move {
                talk(stream, router, &app, stopped).await;
                drop((seat, open));
            });
        } else {
            app.metrics.connection_refused();
            let Ok(seat) = Arc::clone(&refused).try_acquire_owned() else { continue };
            let app = Arc::clone(&app);
            tokio::spawn(async move {
                // Who does not listen is not waited for.
                let _ = timeout(app.config.linger_timeout, refuse(stream, &app)).await;
                drop(seat);
            });
        }
    }
    drop((listener, open));
    stopping.send_replace(true);
    // Nothing is ever sent: it ends with the last connection.
    let _ = all_closed.recv().await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Events go out one by one; a connection that cannot be told so is only slower.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken");
                sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

/// Answers the requests of a connection, one after another.
async fn talk(stream: TcpStream, router: Router, app: &App, mut stopped: watch::Receiver<bool>) {
    let unread = Arc::new(AtomicBool::new(false));
    let io = TokioIo::new(Lingering::new(stream, Arc::clone(&unread), app.config.linger_timeout));
    let inner = TowerToHyperService::new(router);
    let service =
        service_fn(move |request: hyper::Request<Incoming>| inner.call(request.map(|body| Watched::new(body, Arc::clone(&unread)))));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(app.config.header_timeout);
    let mut connection = pin!(server.serve_connection(io, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = asked(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Waits until the server is asked to stop.
async fn asked(stopped: &mut watch::Receiver<bool>) {
    // Where nobody can ask any more, it is stopped.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Says that there are too many connections.
async fn refuse(stream: TcpStream, app: &App) -> io::Result<()> {
    let told = "too many connections are open; try again later";
    let error = ApiError::new(503, "service_unavailable", Some("too_many_connections"), told);
    let body = serde_json::to_string(&error.response()).unwrap_or_default();
    let wait = app.config.retry_after.as_secs().max(1);
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\nretry-after: {wait}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = Lingering::new(stream, Arc::new(AtomicBool::new(true)), app.config.linger_timeout);
    stream.write_all((head + &body).as_bytes()).await?;
    stream.shutdown().await
}
