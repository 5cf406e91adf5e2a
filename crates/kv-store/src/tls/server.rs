use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use tokio::io::{AsyncRead, AsyncWrite};

use super::{accepting::Accepting, config};
use crate::Result;

/// How a [`Server`](crate::http::Server) shows who it is, and whom it serves. Clones are the same one.
///
/// ```no_run
/// use jarre_kv_store::{ServerTls, http::ServerConfig};
///
/// let read = |name| std::fs::read(format!("/etc/jarre/pki/{name}.pem"));
/// // Whoever shows no certificate of this authority is not served.
/// let tls = ServerTls::new(read("server")?, read("server-key")?, Some(&read("ca")?))?;
/// let config = ServerConfig::default().with_tls(tls.clone());
/// # drop(config);
/// // Later, when they were renewed; the server takes them for its next connections.
/// tls.replace(read("server")?, read("server-key")?, Some(&read("ca")?))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ServerTls(Arc<RwLock<Current>>);

/// What the next connection gets.
struct Current {
    config: Arc<rustls::ServerConfig>,
    asks_clients: bool,
}

impl ServerTls {
    /// Shows `certificate`, with what is between it and its authority, and has its key; serves those alone who show certificates of
    /// `client_authorities`, if there are any. All in PEM.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) where they are no PEM, or do not belong together.
    pub fn new(certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>, client_authorities: Option<&[u8]>) -> Result<Self> {
        let current = Current::new(&(certificate.into(), key.into()), client_authorities)?;
        Ok(Self(Arc::new(RwLock::new(current))))
    }

    /// Takes these from the next connection on; those that are open stay.
    ///
    /// # Errors
    /// As [`new`](Self::new), and everything is as it was.
    pub fn replace(&self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>, client_authorities: Option<&[u8]>) -> Result<()> {
        let current = Current::new(&(certificate.into(), key.into()), client_authorities)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = current;
        Ok(())
    }

    /// Whether callers have to show certificates.
    pub fn asks_clients(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).asks_clients
    }

    pub(crate) fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> Accepting<S> {
        let config = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner).config);
        Accepting::new(stream, config)
    }
}

impl Current {
    fn new(identity: &(Vec<u8>, Vec<u8>), client_authorities: Option<&[u8]>) -> Result<Self> {
        let config = Arc::new(config::server(identity, client_authorities)?);
        Ok(Self { config, asks_clients: client_authorities.is_some() })
    }
}

impl fmt::Debug for ServerTls {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").field("asks_clients", &self.asks_clients()).finish_non_exhaustive()
    }
}
