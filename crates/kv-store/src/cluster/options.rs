use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use jarre_core::{Clock, SystemClock};

use super::transport::{Tcp, Transport};
use crate::{Limits, Member, frame::Token};

/// How a member of a cluster is started.
#[derive(Clone)]
pub struct ClusterOptions {
    pub(super) cluster: u64,
    pub(super) id: u64,
    pub(super) token: Token,
    pub(super) listen: String,
    pub(super) founders: Vec<Member>,
    pub(super) storage: Place,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    pub(super) heartbeat: Duration,
    pub(super) election: Duration,
    pub(super) request_timeout: Duration,
    pub(super) snapshot_entries: u64,
    pub(super) snapshot_bytes: u64,
}

/// Where a member keeps what it must not lose.
#[derive(Clone)]
pub(super) enum Place {
    Folder(PathBuf),
    #[cfg(feature = "testing")]
    Disks(super::Disks),
}

impl ClusterOptions {
    /// Member `id` of the cluster of that number, which keeps what it must not lose in `folder`. All members share the `token`.
    ///
    /// It listens on a free port of the loopback interface; a heartbeat goes out every 100 ms, and followers that heard none for 500 ms to a
    /// second stand for election.
    pub fn new(cluster: u64, id: u64, token: Token, folder: impl Into<PathBuf>) -> Self {
        Self {
            cluster,
            id,
            token,
            listen: "127.0.0.1:0".to_owned(),
            founders: Vec::new(),
            storage: Place::Folder(folder.into()),
            transport: Arc::new(Tcp),
            clock: Arc::new(SystemClock::new()),
            limits: Limits::default(),
            heartbeat: Duration::from_millis(100),
            election: Duration::from_millis(500),
            request_timeout: Duration::from_secs(5),
            snapshot_entries: 20_000,
            snapshot_bytes: 128 << 20,
        }
    }

    /// Listens for other members at `address`, `host:port`.
    pub fn with_listen(mut self, address: impl Into<String>) -> Self {
        self.listen = address.into();
        self
    }

    /// Founds the cluster together with these members, itself among them, which are all started with the same list. Who is started with
    /// none waits to be [added](crate::Members::add).
    pub fn founded_by(mut self, members: impl IntoIterator<Item = Member>) -> Self {
        self.founders = members.into_iter().collect();
        self
    }

    /// Reaches other members by `transport`.
    pub fn with_transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = transport;
        self
    }

    /// Ends leases by `clock`.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Takes what `limits` allow; they must be the same at all members.
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sends a heartbeat so often, and stands for election after hearing none for one to two times `election`, which must be longer. A
    /// message must reach another member, be written there, and be answered within `heartbeat`.
    pub const fn with_times(mut self, heartbeat: Duration, election: Duration) -> Self {
        (self.heartbeat, self.election) = (heartbeat, election);
        self
    }

    /// How long a request is tried before its outcome is unknown, or no quorum is found.
    pub const fn with_request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// Gives up the log that a snapshot holds after so many entries, or so many bytes of commands.
    pub const fn with_snapshot_every(mut self, entries: u64, bytes: u64) -> Self {
        (self.snapshot_entries, self.snapshot_bytes) = (entries, bytes);
        self
    }

    /// Keeps everything on disks of one's own, so that they can be made to fail, and writes without threads.
    #[cfg(feature = "testing")]
    pub fn on_disks(mut self, disks: super::Disks) -> Self {
        self.storage = Place::Disks(disks);
        self
    }
}

impl fmt::Debug for ClusterOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut options = f.debug_struct("ClusterOptions");
        options.field("cluster", &self.cluster).field("id", &self.id).field("listen", &self.listen).field("founders", &self.founders);
        options.field("heartbeat", &self.heartbeat).field("election", &self.election).finish_non_exhaustive()
    }
}
