use std::{fmt, time::Duration};

/// Which servers a store is behind, and how to speak to them.
#[derive(Clone)]
pub struct RemoteOptions {
    pub(super) servers: Vec<String>,
    pub(super) token: Option<String>,
    pub(super) timeout: Duration,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<crate::Tls>,
}

impl RemoteOptions {
    /// The servers at these URLs, `http://host:port`, or `https://host:port` for all where TLS is asked for. A request may take 10 seconds
    /// with all its tries.
    pub fn new(servers: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            servers: servers.into_iter().map(Into::into).collect(),
            token: None,
            timeout: Duration::from_secs(10),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Shows `token` with each request.
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Over TLS.
    #[cfg(feature = "tls")]
    pub fn with_tls(mut self, tls: crate::Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// How long a request may take with all its tries.
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

impl fmt::Debug for RemoteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = f.debug_struct("RemoteOptions");
        options.field("servers", &self.servers).field("has_token", &self.token.is_some()).field("timeout", &self.timeout);
        #[cfg(feature = "tls")]
        options.field("tls", &self.tls);
        options.finish()
    }
}
