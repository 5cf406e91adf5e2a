//! What rustls makes of PEM.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};

use super::Tls;
use crate::{Error, Result};

/// Whoever a store is served to may be older than its members.
const PUBLIC: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];
const MEMBERS: &[&SupportedProtocolVersion] = &[&TLS13];

/// For those who call servers.
pub(crate) fn client(tls: &Tls) -> Result<ClientConfig> {
    caller(tls, PUBLIC)
}

/// For both ends of what members say to each other, who all show certificates.
pub(crate) fn member(tls: &Tls) -> Result<(ClientConfig, ServerConfig)> {
    let Some(identity) = &tls.identity else {
        return Err(Error::Invalid("a member that shows no certificate: its TLS needs an identity".into()));
    };
    Ok((caller(tls, MEMBERS)?, answerer(identity, Some(&tls.authorities), MEMBERS)?))
}

/// For a server, which asks callers for certificates of `authorities` where there are any.
pub(super) fn server(identity: &(Vec<u8>, Vec<u8>), authorities: Option<&[u8]>) -> Result<ServerConfig> {
    let mut config = answerer(identity, authorities, PUBLIC)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The name that the certificate of whoever listens at `address`, `host:port`, must be of.
pub(crate) fn host(address: &str) -> Result<ServerName<'static>> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(host.to_owned()).map_err(|_| Error::Invalid(format!("`{host}` is no name that a certificate can be of").into()))
}

fn caller(tls: &Tls, versions: &[&'static SupportedProtocolVersion]) -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions).map_err(unusable)?;
    let builder = builder.with_root_certificates(roots(&tls.authorities)?);
    match &tls.identity {
        Some((certificate, key)) => builder.with_client_auth_cert(chain(certificate)?, private(key)?).map_err(unusable),
        None => Ok(builder.with_no_client_auth()),
    }
}

fn answerer(
    (certificate, key): &(Vec<u8>, Vec<u8>),
    authorities: Option<&[u8]>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions).map_err(unusable)?;
    let builder = match authorities {
        Some(authorities) => builder.with_client_cert_verifier(verifier(authorities)?),
        None => builder.with_no_client_auth(),
    };
    builder.with_single_cert(chain(certificate)?, private(key)?).map_err(unusable)
}

/// Named, because other crates of a program may bring others along.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn verifier(authorities: &[u8]) -> Result<Arc<dyn ClientCertVerifier>> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(authorities)?), provider()).build();
    verifier.map_err(|error| Error::Invalid(format!("authorities that cannot be used: {error}").into()))
}

fn roots(authorities: &[u8]) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for authority in chain(authorities)? {
        roots.add(authority).map_err(unusable)?;
    }
    Ok(roots)
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    if chain.is_empty() { Err(Error::Invalid("a file of certificates without any in PEM".into())) } else { Ok(chain) }
}

fn private(pem: &[u8]) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(pem).map_err(unreadable)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn unreadable(error: pem::Error) -> Error {
    match error {
        pem::Error::NoItemsFound => Error::Invalid("a key's file without any in PEM".into()),
        // What else it says may hold parts of what was read.
        _ => Error::Invalid("certificates or a key that are no PEM".into()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn unusable(error: rustls::Error) -> Error {
    Error::Invalid(format!("certificates or a key that cannot be used: {error}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_stands_before_the_port() {
        for (address, name) in [("kv.example:2380", "kv.example"), ("127.0.0.1:1", "127.0.0.1"), ("[::1]:2380", "::1"), ("kv", "kv")] {
            assert_eq!(host(address).unwrap().to_str(), name);
        }
        for address in ["", ":1", "a b:1", "*:1"] {
            assert!(matches!(host(address), Err(Error::Invalid(_))), "{address}");
        }
    }

    #[test]
    fn what_is_no_pem_is_refused_and_not_repeated() {
        let bodiless = "-----BEGIN CERTIFICATE-----\nsecret!\n-----END CERTIFICATE-----\n";
        for authorities in ["", "secret", bodiless, &bodiless.replace("CERTIFICATE", "PRIVATE KEY")] {
            let error = client(&Tls::new(authorities)).unwrap_err();
            assert!(matches!(error, Error::Invalid(_)) && !error.to_string().contains("secret"), "{error}");
        }
    }
}
