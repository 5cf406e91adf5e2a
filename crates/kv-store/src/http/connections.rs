use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, watch},
    time::{sleep, timeout},
};

use super::{
    App,
    lingering::{Lingering, Unread},
    router,
};

/// How long to wait where the system gives no connection: it is out of files, say.
const PAUSE: Duration = Duration::from_millis(500);

/// Serves connections until `stop`, and then those that are open to their end. Those over the limit are closed.
pub(super) async fn serve(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) {
    let router = router::of(Arc::clone(&app));
    let seats = Arc::new(Semaphore::new(app.config.max_connections.clamp(1, Semaphore::MAX_PERMITS)));
    // Every connection has a sender; when all are gone, so are the connections.
    let (open, mut all_closed) = mpsc::channel::<Infallible>(1);
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let Ok(seat) = Arc::clone(&seats).try_acquire_owned() else {
                    app.requests.connection_refused();
                    continue;
                };
                // Answers are whole; a connection that cannot be told so is only slower.
                let _ = stream.set_nodelay(true);
                let (router, app, open) = (router.clone(), Arc::clone(&app), open.clone());
                tokio::spawn(async move {
                    answer(stream, router, &app).await;
                    drop((seat, open));
                });
            }
            Err(error) => {
                tracing::debug!(%error, "no connection was taken");
                sleep(PAUSE).await;
            }
        }
    }
    drop((listener, open));
    app.stopping.send_replace(true);
    // Nothing is ever sent: it ends with the last connection.
    if timeout(app.config.drain, all_closed.recv()).await.is_err() {
        tracing::warn!("requests were cut off when the server stopped");
    }
}

async fn answer(stream: TcpStream, router: Router, app: &App) {
    #[cfg(feature = "tls")]
    if let Some(tls) = &app.config.tls {
        return talk(tls.accept(stream), router, app).await;
    }
    talk(stream, router, app).await;
}

/// Answers the requests of a connection, one after another.
pub(super) async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin + Send, router: Router, app: &App) {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(app.config.header_timeout);
    let unread = Unread::default();
    let stream = Lingering::new(stream, unread.clone(), app.config.linger_timeout);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| router.call(request.map(|body| unread.note(body))));
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(app.stopping.subscribe()) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Waits until the server is asked to stop.
pub(super) async fn stopped(mut stopping: watch::Receiver<bool>) {
    // Where nobody can ask any more, it is stopped.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
