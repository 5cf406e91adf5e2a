//! The HTTP API of a store: etcd's JSON gateway, and a little more.
//!
//! | path | what |
//! | --- | --- |
//! | `/v3/kv/{range,put,deleterange,txn,compaction}`, `/v3/lease/{grant,revoke,keepalive,timetolive}`, `/v3/watch`, `/v3/maintenance/status`, `/v3/cluster/member/{list,add,promote,remove}` | as etcd 3.4's gateway, `POST` with JSON |
//! | `/v1/session/{open,close}`, `/v1/step-down` | what etcd does not have |
//! | `GET /v1/snapshot` | a snapshot of the store, which `jarre-kv snapshot restore` and [`Embedded::restore`](crate::Embedded::restore) take |
//! | `GET /health`, `/ready`, `/version` | for those who watch over it |
//! | `GET /metrics` | for Prometheus: what etcd calls `etcd_server_..` is `jarre_kv_..` here, and Raft's indices are `jarre_kv_raft_..` |
//!
//! Where it differs from etcd: pages are cut by the store's [`Limits`](crate::Limits) though no limit was asked for (`more` says so); keys
//! are sorted by key alone; a watch that asked for no progress is sent an empty line every ten seconds in which nothing changes; compares
//! of ranges, transactions in transactions and puts that keep the old value are refused; leases are named by the store.
//!
//! ```
//! use std::sync::Arc;
//! use jarre_kv_store::{Memory, http::{Server, ServerConfig}};
//! use tokio::net::TcpListener;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let server = Server::new(Arc::new(Memory::new()), ServerConfig::default());
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! // Serves until the future is ready, and then what was begun.
//! server.serve(listener, async {}).await?;
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod auth;
mod connections;
mod failure;
mod kv;
mod lease;
mod lingering;
mod members;
mod page;
mod probes;
mod raft;
mod router;
mod snapshot;
mod watch;

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

#[cfg(feature = "testing")]
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::{Error, Members, Metrics, RaftMember, Result, Revision, Store, wire::Header};

/// How a store is served.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// What requests must bring in `Authorization: Bearer ..`; without one, and without certificates that clients must show, the server
    /// listens on the loopback interface alone.
    pub token: Option<String>,
    /// How it shows who it is, and whom it serves, over TLS; without it what is said can be listened to.
    #[cfg(feature = "tls")]
    pub tls: Option<crate::ServerTls>,
    /// Connections at a time, a watch being one: 1024.
    pub max_connections: usize,
    /// Bytes of a request: 8 MiB, so that the largest transaction fits as base64.
    pub max_body: usize,
    /// How long a request's head may take to come: 10 s.
    pub header_timeout: Duration,
    /// How long a request's body may take to come: 30 s.
    pub body_timeout: Duration,
    /// How long a client that was answered before its whole request was read may go on sending, so that it gets to read the answer: 5 s.
    pub linger_timeout: Duration,
    /// How long what was begun may go on when the server is to stop: 10 s.
    pub drain: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            token: None,
            #[cfg(feature = "tls")]
            tls: None,
            max_connections: 1024,
            max_body: 8 << 20,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            linger_timeout: Duration::from_secs(5),
            drain: Duration::from_secs(10),
        }
    }
}

impl ServerConfig {
    /// Asks for a token.
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Over TLS.
    #[cfg(feature = "tls")]
    pub fn with_tls(mut self, tls: crate::ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Whether nobody can listen.
    #[cfg_attr(not(feature = "tls"), expect(clippy::unused_self, reason = "there is no TLS"))]
    const fn is_secret(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Whether not everyone is served.
    fn asks_clients(&self) -> bool {
        #[cfg(feature = "tls")]
        if self.tls.as_ref().is_some_and(crate::ServerTls::asks_clients) {
            return true;
        }
        self.token.is_some()
    }
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut config = f.debug_struct("ServerConfig");
        #[cfg(feature = "tls")]
        config.field("tls", &self.tls);
        config.field("has_token", &self.token.is_some()).field("max_connections", &self.max_connections);
        config.field("max_body", &self.max_body).finish_non_exhaustive()
    }
}

/// A store, ready to be served.
pub struct Server {
    app: App,
}

/// What the server reads of the store's own counts.
type Counts = dyn Fn() -> Metrics + Send + Sync;

/// What handlers share.
struct App {
    store: Arc<dyn Store>,
    members: Option<Arc<dyn Members>>,
    raft: Option<Arc<dyn RaftMember>>,
    counts: Option<Box<Counts>>,
    cluster: u64,
    member: u64,
    config: ServerConfig,
    requests: probes::Requests,
    /// Set when the server is to stop: watches end then.
    stopping: tokio::sync::watch::Sender<bool>,
}

impl Server {
    /// Serves `store`.
    pub fn new(store: Arc<dyn Store>, config: ServerConfig) -> Self {
        let (requests, stopping) = (probes::Requests::default(), tokio::sync::watch::Sender::new(false));
        Self { app: App { store, members: None, raft: None, counts: None, cluster: 0, member: 0, config, requests, stopping } }
    }

    /// The store is that of member `member` of `cluster`.
    pub fn with_members(mut self, members: Arc<dyn Members>, cluster: u64, member: u64) -> Self {
        (self.app.members, self.app.cluster, self.app.member) = (Some(members), cluster, member);
        self
    }

    /// What that member knows of Raft is shown at `/metrics` and `/v3/maintenance/status`, and its term in the header of every answer.
    pub fn with_raft(mut self, raft: Arc<dyn RaftMember>) -> Self {
        self.app.raft = Some(raft);
        self
    }

    /// What the store has done is shown at `/metrics`.
    pub fn with_metrics(mut self, counts: impl Fn() -> Metrics + Send + Sync + 'static) -> Self {
        self.app.counts = Some(Box::new(counts));
        self
    }

    /// Serves connections until `stop` is ready, then ends watches, and waits for what else was begun.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the listener is not on the loopback interface and everyone is served.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<()> {
        let address = listener.local_addr().map_err(|error| Error::io("learn where the server listens", error))?;
        if !self.app.config.asks_clients() && !is_loopback(&address) {
            let reason = format!("a server at {address} that asks for neither token nor certificates: set one, or listen at 127.0.0.1");
            return Err(Error::Unsupported(reason.into()));
        }
        if !self.app.config.is_secret() && !is_loopback(&address) {
            tracing::warn!(%address, "what is said to this server can be listened to, its token too: give it certificates");
        }
        tracing::info!(%address, "a store is served");
        connections::serve(listener, Arc::new(self.app), stop).await;
        Ok(())
    }

    /// Serves one connection to its end, whatever it is made of.
    #[cfg(feature = "testing")]
    pub async fn serve_stream(self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        let app = Arc::new(self.app);
        connections::talk(stream, router::of(Arc::clone(&app)), &app).await;
    }
}

impl App {
    /// Of an answer that tells of the store at `revision`.
    fn header(&self, revision: Revision) -> Header {
        let term = self.raft.as_ref().map_or(0, |raft| raft.term());
        Header { cluster_id: self.cluster.into(), member_id: self.member.into(), revision: revision.0.into(), raft_term: term.into() }
    }

    /// Of an answer that tells of nothing that has a revision: where the store is now, as far as this one knows.
    async fn header_now(&self) -> Result<Header> {
        Ok(self.header(self.store.status().await?.revision))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("config", &self.app.config).finish_non_exhaustive()
    }
}

fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
