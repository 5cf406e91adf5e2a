use std::time::Duration;

use super::keys::Keys;

/// What a proxy takes, from whom, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct ProxyConfig {
    /// Keys, one of which each request has to have, save those to `/health` and `/ready`; none is asked for where there are none.
    pub(crate) keys: Keys,
    /// Bytes of a request's body at most.
    pub(crate) max_body_bytes: usize,
    /// Requests that are being answered at most; further ones are told to come again.
    pub(crate) max_in_flight: usize,
    /// Connections that are open at most; further ones wait to be taken.
    pub(crate) max_connections: usize,
    /// How long the head of a request may take to come, and how long a connection may idle.
    pub(crate) header_timeout: Duration,
    /// How long a body may take to come.
    pub(crate) body_timeout: Duration,
    /// How long a client may take nothing of an answer before it is cut off.
    pub(crate) write_timeout: Duration,
    /// How long an answer may take.
    pub(crate) request_timeout: Duration,
    /// How long open requests may take to end once the proxy was asked to stop.
    pub(crate) drain_timeout: Duration,
    /// When a client that found the proxy full is asked to come again.
    pub(crate) retry_after: Duration,
    /// How long a stream is silent at most: then a comment goes out, so that others on the way keep it open.
    pub(crate) keep_alive: Duration,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        Self {
            keys: Keys::default(),
            max_body_bytes: 2 << 20,
            max_in_flight: 512,
            max_connections: 2048,
            header_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_mins(10),
            drain_timeout: Duration::from_secs(30),
            retry_after: Duration::from_secs(1),
            keep_alive: Duration::from_secs(10),
        }
    }
}
