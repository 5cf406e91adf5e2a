#[cfg(feature = "tls")]
mod accepting;
#[cfg(feature = "tls")]
mod config;
#[cfg(all(feature = "server", feature = "tls"))]
mod server;

use std::fmt;

#[cfg(all(feature = "cluster", feature = "tls"))]
pub(crate) use accepting::Accepting;
#[cfg(all(feature = "client", feature = "tls"))]
pub(crate) use config::client;
#[cfg(all(any(feature = "client", feature = "cluster"), feature = "tls"))]
pub(crate) use config::host;
#[cfg(all(feature = "cluster", feature = "tls"))]
pub(crate) use config::member;
#[cfg(all(feature = "server", feature = "tls"))]
pub use server::ServerTls;

/// How those who open connections know whom they speak to, and are known: TLS by rustls.
///
/// A `Remote` takes it for `https://` servers, an `Etcd` for the members of its cluster, and `cluster::TlsTransport` for both ends of what the
/// members of a cluster say to each other.
///
/// ```no_run
/// use jarre_kv_store::Tls;
///
/// let read = |name| std::fs::read(format!("/etc/jarre/pki/{name}.pem"));
/// let tls = Tls::new(read("ca")?).with_identity(read("client")?, read("client-key")?);
/// # drop(tls);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Tls {
    pub(crate) authorities: Vec<u8>,
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
    pub(crate) domain: Option<String>,
}

impl Tls {
    /// The other side shows a certificate of one of these authorities, in PEM. No others are trusted, those of the system neither.
    pub fn new(authorities: impl Into<Vec<u8>>) -> Self {
        Self { authorities: authorities.into(), identity: None, domain: None }
    }

    /// This side shows a certificate, with what is between it and its authority, and has its key, all in PEM.
    pub fn with_identity(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identity = Some((certificate.into(), key.into()));
        self
    }

    /// The certificates of those who are called are of this name, instead of the host in their address.
    pub fn with_domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }
}

impl fmt::Debug for Tls {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("has_identity", &self.identity.is_some()).field("domain", &self.domain).finish_non_exhaustive()
    }
}
