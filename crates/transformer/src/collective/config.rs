use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use jarre_core::{Clock, SystemClock};

use super::{handshake::Key, patience::Patience, place::Place};

const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// Which worker this is, out of how many, and where they meet. The same on all of them but for the rank.
#[derive(Clone)]
pub struct RingConfig {
    rank: usize,
    world_size: usize,
    pub(super) rendezvous: SocketAddr,
    pub(super) key: Key,
    pub(super) timeout: Duration,
    remote: bool,
    clock: Arc<dyn Clock>,
}

impl RingConfig {
    /// Worker `rank` of `world_size` (at most 256), counted from zero. Rank 0 listens at `rendezvous`, the others look for it there.
    ///
    /// It waits at most 60 seconds for another worker, has an empty token, and goes by the machine's clock.
    pub fn new(rank: usize, world_size: usize, rendezvous: SocketAddr) -> Self {
        let key = Key::of(b"");
        Self { rank, world_size, rendezvous, key, timeout: DEFAULT_TIMEOUT, remote: false, clock: Arc::new(SystemClock::new()) }
    }

    /// How long one worker may keep another waiting: until all have met, and later until a byte comes or goes. It has to be longer than
    /// what a worker computes between two operations. At least a millisecond.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// A secret of all workers of one ring. Who does not know it, another user's process for one, cannot join, nor pass for rank 0. It is
    /// not sent: messages of the handshake carry a BLAKE3 keyed hash, compared in constant time. What follows is not encrypted.
    pub fn with_token(mut self, token: impl AsRef<[u8]>) -> Self {
        self.key = Key::of(token.as_ref());
        self
    }

    /// Lets the ring leave this host: without it every address must be of the loopback interface. For networks whose every member is
    /// trusted, because nothing is encrypted.
    pub fn with_remote_allowed(mut self) -> Self {
        self.remote = true;
        self
    }

    /// The clock that timeouts and [`waited`](super::CollectiveStats::waited) go by.
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where this worker stands, or why there is no such place.
    pub(super) fn place(&self) -> Result<Place, String> {
        self.admit(self.rendezvous)?;
        Place::new(self.rank, self.world_size)
    }

    /// As the caller gave it, for errors of a place that does not exist.
    pub(super) fn stated_rank(&self) -> usize {
        self.rank
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    pub(super) fn patience(&self) -> Patience {
        Patience::new(Arc::clone(&self.clock), self.timeout)
    }

    /// Refuses addresses beyond this host, unless they were allowed.
    pub(super) fn admit(&self, address: SocketAddr) -> Result<(), String> {
        if self.remote || address.ip().is_loopback() {
            return Ok(());
        }
        Err(format!("{address} is not a loopback address; use 127.0.0.1 or ::1, or allow remote workers in the configuration"))
    }
}

impl fmt::Debug for RingConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rank, world_size, rendezvous, timeout, remote, .. } = self;
        let mut shown = f.debug_struct("RingConfig");
        shown.field("rank", rank).field("world_size", world_size).field("rendezvous", rendezvous);
        shown.field("timeout", timeout).field("remote", remote).finish_non_exhaustive()
    }
}
