use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::{App, ProxyConfig, app, connections};

/// How long the last bytes of answers may take to be sent once all are there.
const FLUSH: Duration = Duration::from_secs(5);

/// Serves until `shutdown` is there and all requests that were taken by then are answered, or the deadline for that has passed; what is open
/// then is cut off. Whether all were answered.
///
/// While it drains, the proxy still listens: `/ready` and new requests are answered with 503.
pub(crate) async fn run(state: Arc<App>, listener: TcpListener, shutdown: impl Future<Output = ()>) -> bool {
    let (drained, all_drained) = oneshot::channel();
    let stop = async {
        shutdown.await;
        // Whoever waits for it is gone only where the proxy is.
        let _ = drained.send(drain(&state).await);
    };
    let serving = connections::serve(listener, app(Arc::clone(&state)), &state.config, stop);
    let flushed = async {
        let complete = all_drained.await.unwrap_or_default();
        if complete {
            sleep(FLUSH).await;
        }
        complete
    };
    tokio::select! {
        () = serving => true,
        complete = flushed => complete,
    }
}

/// Takes nothing more, and waits until nothing is open. Whether that came to pass in time.
async fn drain(state: &App) -> bool {
    state.gate.close();
    timeout(state.config.drain_timeout, state.gate.all_left()).await.is_ok()
}

/// Refuses to listen to other machines without keys, unless that is wanted.
pub(crate) fn check_access(address: SocketAddr, config: &ProxyConfig, allow_open_access: bool) -> Result<()> {
    let is_closed = address.ip().to_canonical().is_loopback() || !config.keys.is_empty() || allow_open_access;
    ensure!(
        is_closed,
        "{address} is open to other machines, and no API key is set; set --api-key-env, listen on 127.0.0.1, or say --allow-open-access"
    );
    Ok(())
}
