//! Connections to servers, over TLS or without.

#[cfg(feature = "tls")]
use std::io;
use std::time::Duration;

use http_body_util::Full;
use hyper::{Request, Uri, body::Bytes};
use hyper_util::{
    client::legacy::{Client, ResponseFuture, connect::HttpConnector},
    rt::TokioExecutor,
};

use super::RemoteOptions;
use crate::{Error, Result};

/// How long a server may take to take a connection before the next is tried.
const CONNECT: Duration = Duration::from_secs(2);

pub(super) enum Web {
    Plain(Client<HttpConnector, Full<Bytes>>),
    #[cfg(feature = "tls")]
    Secure(Client<hyper_rustls::HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl Web {
    pub(super) fn new(options: &RemoteOptions) -> Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        #[cfg(feature = "tls")]
        if let Some(tls) = &options.tls {
            return Ok(Self::Secure(Client::builder(TokioExecutor::new()).build(secure(tls, connector)?)));
        }
        #[cfg(not(feature = "tls"))]
        let _ = options;
        Ok(Self::Plain(Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// What the URLs of its servers begin with.
    const fn scheme(&self) -> &'static str {
        match self {
            Self::Plain(_) => "http",
            #[cfg(feature = "tls")]
            Self::Secure(_) => "https",
        }
    }

    /// The URL of a server that it can reach.
    pub(super) fn parse(&self, server: &str) -> Result<Uri> {
        let scheme = self.scheme();
        let uri = server.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some(scheme) && uri.authority().is_some());
        let other = if scheme == "http" { "; for https:// say by `with_tls` which authorities are trusted" } else { "" };
        uri.ok_or_else(|| Error::Unsupported(format!("the server `{server}`: write {scheme}://host:port{other}").into()))
    }

    pub(super) fn request(&self, request: Request<Full<Bytes>>) -> ResponseFuture {
        match self {
            Self::Plain(client) => client.request(request),
            #[cfg(feature = "tls")]
            Self::Secure(client) => client.request(request),
        }
    }
}

#[cfg(feature = "tls")]
fn secure(tls: &crate::Tls, mut connector: HttpConnector) -> Result<hyper_rustls::HttpsConnector<HttpConnector>> {
    connector.enforce_http(false);
    let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(crate::tls::client(tls)?).https_only();
    Ok(match &tls.domain {
        Some(domain) => {
            let name = crate::tls::host(domain)?;
            builder.with_server_name_resolver(hyper_rustls::FixedServerNameResolver::new(name)).enable_http1().wrap_connector(connector)
        }
        None => builder.enable_http1().wrap_connector(connector),
    })
}

/// Why the two sides of a connection do not trust each other, where that is why the request failed: nothing was asked on it then.
#[cfg(feature = "tls")]
pub(super) fn mistrust(error: &hyper_util::client::legacy::Error) -> Option<Error> {
    use rustls::AlertDescription as Alert;
    let reason = reason(error)?;
    // In TLS 1.3 a server looks at the client's certificate after the client has begun to speak.
    let is_turned_away = matches!(
        reason,
        rustls::Error::AlertReceived(
            Alert::AccessDenied
                | Alert::BadCertificate
                | Alert::CertificateExpired
                | Alert::CertificateRequired
                | Alert::CertificateRevoked
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::UnsupportedCertificate
        )
    );
    (is_turned_away || error.is_connect()).then(|| Error::io(format!("agree on TLS: {reason}"), io::Error::other(reason.clone())))
}

#[cfg(feature = "tls")]
fn reason<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let within = || error.downcast_ref::<io::Error>()?.get_ref().and_then(|within| reason(within));
    error.downcast_ref::<rustls::Error>().or_else(within).or_else(|| error.source().and_then(reason))
}
