use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use jarre_core::Clock;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::time::sleep;

use super::app::{App, router};
use super::secret::Secret;
use super::{DashboardConfig, Runs, connections};
use crate::{Error, Result};

/// A dashboard over the runs of a store.
pub struct Dashboard {
    runs: Arc<dyn Runs>,
    secret: Secret,
    clock: Arc<dyn Clock>,
    config: DashboardConfig,
}

impl Dashboard {
    /// A dashboard that `secret` opens.
    pub fn new(runs: Arc<dyn Runs>, secret: Secret, clock: Arc<dyn Clock>, config: DashboardConfig) -> Self {
        Self { runs, secret, clock, config }
    }

    /// Listens on the configured address.
    ///
    /// # Errors
    /// [`Error::Invalid`] where that is open to other machines and no host is configured; [`Error::Io`] where it cannot be had.
    pub async fn bind(&self) -> Result<TcpListener> {
        let address = self.config.address;
        self.check_access(address)?;
        TcpListener::bind(address).await.map_err(|source| Error::Io { doing: format!("listen on {address}"), source })
    }

    /// The address that signs a browser in, for the person who started the program: it holds the secret, after the `#`, where no browser sends it.
    pub fn sign_in_address(&self, address: SocketAddr) -> String {
        let host = self.config.hosts.first().cloned().unwrap_or_else(|| address.to_string());
        format!("http://{host}/sign-in#{}", self.secret.reveal())
    }

    /// Serves until `shutdown` is there and what was asked until then is answered, or the time for that has passed. Pages that follow a run are
    /// let go at once; they come back by themselves.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the listener is open to other machines and no host is configured; [`Error::Io`].
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<()> {
        let address = listener.local_addr().map_err(|source| Error::Io { doing: "read the dashboard's address".to_owned(), source })?;
        self.check_access(address)?;
        let (stop, stopping) = watch::channel(false);
        let (stopped, was_stopped) = oneshot::channel();
        let drain = self.config.drain_timeout;
        let app = Arc::new(App::new(self.runs, self.secret, self.clock, self.config, address, stopping));
        let asked = async move {
            shutdown.await;
            stop.send_replace(true);
            // Whoever waits for it is gone only where the server is.
            let _ = stopped.send(());
        };
        let serving = connections::serve(listener, router(Arc::clone(&app)), &app.config, asked);
        let too_late = async {
            if was_stopped.await.is_ok() {
                sleep(drain).await;
                tracing::warn!("requests are given up at the deadline for stopping");
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = serving => {}
            () = too_late => {}
        }
        Ok(())
    }

    fn check_access(&self, address: SocketAddr) -> Result<()> {
        if address.ip().to_canonical().is_loopback() || !self.config.hosts.is_empty() {
            return Ok(());
        }
        Err(Error::Invalid(format!(
            "{address} is open to other machines; listen on 127.0.0.1, or say by which names the dashboard is known there"
        )))
    }
}

impl fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard").field("config", &self.config).finish_non_exhaustive()
    }
}
