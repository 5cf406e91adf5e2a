use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How a dashboard listens, and what it takes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DashboardConfig {
    /// Where [`Dashboard::bind`](super::Dashboard::bind) listens.
    pub address: SocketAddr,
    /// Names, with their ports, by which other machines know the dashboard: `agents.example.org:8080`. Without any it listens on a loopback
    /// address only. What it says goes over the network as it is: put a server with TLS before it.
    pub hosts: Vec<String>,
    /// Who an answer is said to come from.
    pub approver: String,
    /// How long a browser stays signed in.
    pub session: Duration,
    /// Runs on a page of the list.
    pub page: usize,
    /// Characters of a text that a page shows at most. Arguments that a person is asked about are shown whole.
    pub longest_text: usize,
    /// Bytes of a form at most.
    pub max_body_bytes: usize,
    /// Connections that are open at most; further ones wait.
    pub max_connections: usize,
    /// Pages that follow runs at most; further ones are told to come again.
    pub max_followers: usize,
    /// How long the head of a request may take to come, from the connection's beginning or its last answer on.
    pub header_timeout: Duration,
    /// How long a form may take to come.
    pub body_timeout: Duration,
    /// How long the other side may take nothing of an answer: a reader this slow is cut off.
    pub write_timeout: Duration,
    /// How long a page that follows a run hears nothing at most: then a comment goes out.
    pub keep_alive: Duration,
    /// How long requests that are open may take to end once the dashboard was asked to stop.
    pub drain_timeout: Duration,
}

impl Default for DashboardConfig {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8700)),
            hosts: Vec::new(),
            approver: "dashboard".to_owned(),
            session: Duration::from_hours(12),
            page: 50,
            longest_text: 20_000,
            max_body_bytes: 1 << 20,
            max_connections: 512,
            max_followers: 256,
            header_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(5),
        }
    }
}

impl DashboardConfig {
    /// Sets [`address`](Self::address).
    pub fn with_address(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// Adds one of [`hosts`](Self::hosts).
    pub fn with_host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// Sets [`approver`](Self::approver).
    pub fn with_approver(self, approver: impl Into<String>) -> Self {
        Self { approver: approver.into(), ..self }
    }

    /// Sets [`page`](Self::page).
    pub fn with_page(self, page: usize) -> Self {
        Self { page, ..self }
    }

    /// Sets [`max_body_bytes`](Self::max_body_bytes).
    pub fn with_max_body_bytes(self, max_body_bytes: usize) -> Self {
        Self { max_body_bytes, ..self }
    }

    /// Sets [`max_followers`](Self::max_followers).
    pub fn with_max_followers(self, max_followers: usize) -> Self {
        Self { max_followers, ..self }
    }

    /// Sets [`keep_alive`](Self::keep_alive).
    pub fn with_keep_alive(self, keep_alive: Duration) -> Self {
        Self { keep_alive, ..self }
    }

    /// Sets [`write_timeout`](Self::write_timeout).
    pub fn with_write_timeout(self, write_timeout: Duration) -> Self {
        Self { write_timeout, ..self }
    }

    /// Sets [`drain_timeout`](Self::drain_timeout).
    pub fn with_drain_timeout(self, drain_timeout: Duration) -> Self {
        Self { drain_timeout, ..self }
    }
}
