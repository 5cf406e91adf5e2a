use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::keys::ApiKeys;

/// How a server listens, and what it takes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Where [`Server::bind`](super::Server::bind) listens.
    pub address: SocketAddr,
    /// Keys, one of which each request has to have, save those to `/health` and `/ready`; none is asked for where there are none.
    pub api_keys: ApiKeys,
    /// Whether others than this machine may ask a server without keys.
    pub allow_open_access: bool,
    /// Whether `/metrics` asks for no key.
    pub public_metrics: bool,
    /// Further names of the model.
    pub aliases: Vec<String>,
    /// The folder that clients may have adapters loaded from, and then unload any; what is served is theirs to change nowhere else.
    pub lora_dir: Option<PathBuf>,
    /// Adapters that are loaded at most.
    pub max_loras: usize,
    /// Bytes of a request's body at most.
    pub max_body_bytes: usize,
    /// Prompts of a completion at most.
    pub max_prompts: usize,
    /// Texts of a request for embeddings, scores or an order at most.
    pub max_texts: usize,
    /// Connections that are open at most; further ones are told to come again. Each takes a file of the process.
    pub max_connections: usize,
    /// How long the head of a request may take to come, from the connection's beginning or its last answer on: idle connections are closed then, too.
    pub header_timeout: Duration,
    /// How long a client that was answered before its body was read may go on writing, so that it gets to read the answer.
    pub linger_timeout: Duration,
    /// How long a body may take to come.
    pub body_timeout: Duration,
    /// How long an answer may take, from the request's arrival on.
    pub request_timeout: Duration,
    /// How long open requests may take to end once the server was asked to stop.
    pub drain_timeout: Duration,
    /// When a client that found the queue full is asked to come again.
    pub retry_after: Duration,
    /// How long a stream is silent at most: then a comment goes out, so that proxies keep it open.
    pub keep_alive: Duration,
    /// Origins whose pages may ask, as `https://example.org`; none where there are none.
    pub cors_origins: Vec<String>,
    /// Where seeds of requests without one, and names of answers, come from; the system's randomness where it is not given.
    pub entropy: Option<u64>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            api_keys: ApiKeys::default(),
            allow_open_access: false,
            public_metrics: false,
            aliases: Vec::new(),
            lora_dir: None,
            max_loras: 16,
            max_body_bytes: 2 << 20,
            max_prompts: 64,
            max_texts: 2048,
            max_connections: 1024,
            header_timeout: Duration::from_secs(15),
            linger_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_mins(10),
            drain_timeout: Duration::from_secs(30),
            retry_after: Duration::from_secs(1),
            keep_alive: Duration::from_secs(10),
            cors_origins: Vec::new(),
            entropy: None,
        }
    }
}

impl ServerConfig {
    /// Sets [`address`](Self::address).
    pub fn with_address(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// Sets [`api_keys`](Self::api_keys).
    pub fn with_api_keys<S: Into<String>>(self, keys: impl IntoIterator<Item = S>) -> Self {
        Self { api_keys: ApiKeys::new(keys), ..self }
    }

    /// Adds one of [`aliases`](Self::aliases).
    pub fn with_alias(mut self, name: impl Into<String>) -> Self {
        self.aliases.push(name.into());
        self
    }

    /// Sets [`lora_dir`](Self::lora_dir).
    pub fn with_lora_dir(self, folder: impl Into<PathBuf>) -> Self {
        Self { lora_dir: Some(folder.into()), ..self }
    }

    /// Sets [`allow_open_access`](Self::allow_open_access).
    pub fn with_open_access(self, allow_open_access: bool) -> Self {
        Self { allow_open_access, ..self }
    }

    /// Sets [`max_body_bytes`](Self::max_body_bytes).
    pub fn with_max_body_bytes(self, max_body_bytes: usize) -> Self {
        Self { max_body_bytes, ..self }
    }

    /// Sets [`request_timeout`](Self::request_timeout).
    pub fn with_request_timeout(self, request_timeout: Duration) -> Self {
        Self { request_timeout, ..self }
    }

    /// Sets [`drain_timeout`](Self::drain_timeout).
    pub fn with_drain_timeout(self, drain_timeout: Duration) -> Self {
        Self { drain_timeout, ..self }
    }

    /// Adds one of [`cors_origins`](Self::cors_origins).
    pub fn with_cors_origin(mut self, origin: impl Into<String>) -> Self {
        self.cors_origins.push(origin.into());
        self
    }

    /// Sets [`entropy`](Self::entropy).
    pub fn with_entropy(self, entropy: u64) -> Self {
        Self { entropy: Some(entropy), ..self }
    }
}
