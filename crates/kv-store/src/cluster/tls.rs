use std::{
    fmt, io,
    sync::{Arc, PoisonError, RwLock},
};

use jarre_core::BoxFuture;
use rustls::pki_types::ServerName;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::transport::{Listener, Stream, Transport};
use crate::{
    Result, Tls,
    tls::{Accepting, host, member},
};

/// TCP under TLS 1.3, where both sides show certificates of the cluster's authorities. That they know the cluster's token is asked of them
/// besides. Clones are the same one.
///
/// ```no_run
/// use std::sync::Arc;
/// use jarre_kv_store::{ClusterOptions, Tls, cluster::TlsTransport, frame::Token};
///
/// let read = |name| std::fs::read(format!("/etc/jarre/pki/{name}.pem"));
/// let tls = Tls::new(read("cluster-ca")?).with_identity(read("member-1")?, read("member-1-key")?);
/// let token = Token::new(&std::fs::read("/etc/jarre/cluster-token")?)?;
/// let options = ClusterOptions::new(7, 1, token, "/var/lib/jarre/member-1").with_transport(Arc::new(TlsTransport::new(&tls)?));
/// # drop(options);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TlsTransport(Arc<RwLock<Current>>);

/// What the next connection gets.
#[derive(Clone)]
struct Current {
    calling: Arc<rustls::ClientConfig>,
    called: Arc<rustls::ServerConfig>,
    domain: Option<String>,
}

impl TlsTransport {
    /// With these certificates.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) where there is no identity, or what there is is no PEM or does not belong together.
    pub fn new(tls: &Tls) -> Result<Self> {
        Ok(Self(Arc::new(RwLock::new(Current::new(tls)?))))
    }

    /// Takes these from the next connection on; those that are open stay.
    ///
    /// # Errors
    /// As [`new`](Self::new), and everything is as it was.
    pub fn replace(&self, tls: &Tls) -> Result<()> {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Current::new(tls)?;
        Ok(())
    }

    fn current(&self) -> Current {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Current {
    fn new(tls: &Tls) -> Result<Self> {
        let (calling, called) = member(tls)?;
        let current = Self { calling: Arc::new(calling), called: Arc::new(called), domain: tls.domain.clone() };
        // A name that is none is found now, not at the first connection.
        current.domain.as_deref().map(host).transpose()?;
        Ok(current)
    }

    /// Whom the other side must show to be.
    fn name(&self, address: &str) -> io::Result<ServerName<'static>> {
        host(self.domain.as_deref().unwrap_or(address)).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
    }
}

impl Transport for TlsTransport {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let current = self.current();
            let name = current.name(address)?;
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let stream = TlsConnector::from(current.calling).connect(name, stream).await?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let listener = TcpListener::bind(address).await?;
            Ok(Box::new(TlsListener { listener, transport: self.clone() }) as Box<dyn Listener>)
        })
    }
}

impl fmt::Debug for TlsTransport {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").field("domain", &self.current().domain).finish_non_exhaustive()
    }
}

struct TlsListener {
    listener: TcpListener,
    transport: TlsTransport,
}

impl Listener for TlsListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let (stream, _) = self.listener.accept().await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(Accepting::new(stream, self.transport.current().called)) as Box<dyn Stream>)
        })
    }

    fn local_address(&self) -> io::Result<String> {
        Ok(self.listener.local_addr()?.to_string())
    }
}
