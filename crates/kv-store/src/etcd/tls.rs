use etcd_client::{Certificate, Identity, TlsOptions};

use crate::Tls;

/// As etcd's client takes it.
pub(super) fn options(tls: &Tls) -> TlsOptions {
    let options = TlsOptions::new().ca_certificate(Certificate::from_pem(&tls.authorities));
    let options = match &tls.identity {
        Some((certificate, key)) => options.identity(Identity::from_pem(certificate, key)),
        None => options,
    };
    match &tls.domain {
        Some(domain) => options.domain_name(domain),
        None => options,
    }
}
