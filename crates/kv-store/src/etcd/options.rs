use std::{fmt, sync::Arc, time::Duration};

use jarre_core::{Clock, SystemClock};

use crate::{Limits, Tls};

/// How an etcd cluster is reached, and where in it a store lies.
///
/// ```
/// use std::time::Duration;
///
/// use jarre_kv_store::EtcdOptions;
///
/// let options = EtcdOptions::new(["10.0.0.1:2379", "10.0.0.2:2379", "10.0.0.3:2379"], "records/")
///     .with_user("jarre", "secret")
///     .with_timeout(Duration::from_secs(3));
/// assert_eq!(options.limits.operations, 128, "as etcd allows");
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct EtcdOptions {
    /// The members' client URLs, `http://host:port` or `host:port`. More than one, so that calls go on when a member is down.
    pub endpoints: Vec<String>,
    /// What every key in etcd begins with; keys of the store are without it. It must not be empty nor begin with a zero byte. Below a zero
    /// byte, outside the prefix, lie the records of sessions: `\0jarre-kv/session/` and the prefix.
    pub prefix: Vec<u8>,
    /// Name and password, where etcd asks for them.
    pub user: Option<(String, String)>,
    /// How members are known, and this client to them, where their URLs are `https://`. Without a scheme they are taken for `https` then.
    pub tls: Option<Tls>,
    /// How long a call may take, with all that is tried again. Five seconds unless said otherwise. A read waits for one member for a second, then
    /// for another for two, and so on, and never for more than half of what is left.
    pub timeout: Duration,
    /// How long a connection may take to be made. Two seconds unless said otherwise.
    pub connect_timeout: Duration,
    /// How long a session is remembered after its last request. A day unless said otherwise.
    pub session_ttl: Duration,
    /// What the store takes at most. Not more than etcd is set to take: 128 operations and 1.5 MiB a request, unless its administrator said
    /// otherwise.
    pub limits: Limits,
    /// By what the age of stale reads and of sessions is measured.
    pub clock: Arc<dyn Clock>,
}

impl EtcdOptions {
    /// The store whose keys begin with `prefix`, in the cluster of the members at `endpoints`.
    pub fn new(endpoints: impl IntoIterator<Item = impl Into<String>>, prefix: impl Into<Vec<u8>>) -> Self {
        Self {
            endpoints: endpoints.into_iter().map(Into::into).collect(),
            prefix: prefix.into(),
            user: None,
            tls: None,
            timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(2),
            session_ttl: Duration::from_hours(24),
            // What is left of 1.5 MiB after a prefix for each key and the frame around them.
            limits: Limits { transaction: (3 << 19) - (64 << 10), ..Limits::default() },
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// With this name and password.
    pub fn with_user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.user = Some((name.into(), password.into()));
        self
    }

    /// Over TLS.
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// With so much time for a call.
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// With so much time to make a connection.
    pub const fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// With sessions that are remembered so long after their last request, in whole seconds rounded up.
    pub const fn with_session_ttl(mut self, ttl: Duration) -> Self {
        self.session_ttl = ttl;
        self
    }

    /// With these limits.
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// With ages measured by `clock`.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl fmt::Debug for EtcdOptions {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdOptions")
            .field("endpoints", &self.endpoints)
            .field("prefix", &self.prefix.escape_ascii().to_string())
            .field("user", &self.user.as_ref().map(|(name, _)| name))
            .field("tls", &self.tls)
            .field("timeout", &self.timeout)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
