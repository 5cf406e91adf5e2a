use std::fmt;

use etcd_client::{Certificate, Identity, TlsOptions};

/// TLS to the members of an etcd cluster (rustls).
///
/// ```no_run
/// use jarre_kv_store::{EtcdOptions, EtcdTls};
///
/// let read = |name| std::fs::read(format!("/etc/etcd/pki/{name}.pem"));
/// let tls = EtcdTls::new(read("ca")?).with_identity(read("client")?, read("client-key")?);
/// let options = EtcdOptions::new(["https://etcd-1:2379", "https://etcd-2:2379"], "records/").with_tls(tls);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct EtcdTls {
    authorities: Vec<u8>,
    identity: Option<(Vec<u8>, Vec<u8>)>,
    domain: Option<String>,
}

impl EtcdTls {
    /// Members show certificates of one of these authorities, in PEM.
    pub fn new(authorities: impl Into<Vec<u8>>) -> Self {
        Self { authorities: authorities.into(), identity: None, domain: None }
    }

    /// This client shows a certificate, and has its key, both in PEM: what etcd asks for with `--client-cert-auth`.
    pub fn with_identity(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identity = Some((certificate.into(), key.into()));
        self
    }

    /// Members' certificates are of this name, instead of the host in their URLs.
    pub fn with_domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    pub(super) fn options(&self) -> TlsOptions {
        let options = TlsOptions::new().ca_certificate(Certificate::from_pem(&self.authorities));
        let options = match &self.identity {
            Some((certificate, key)) => options.identity(Identity::from_pem(certificate, key)),
            None => options,
        };
        match &self.domain {
            Some(domain) => options.domain_name(domain),
            None => options,
        }
    }
}

impl fmt::Debug for EtcdTls {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdTls").field("identity", &self.identity.is_some()).field("domain", &self.domain).finish_non_exhaustive()
    }
}
