use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_kv_store::{Cluster, Error, log::SimDisk, testing::Disk};

/// A member, its disks, and what was seen of it.
pub(crate) struct Node {
    /// Its name: one that lost its disks comes back under another.
    pub(crate) id: u64,
    pub(crate) standing: Standing,
    pub(crate) log: SimDisk,
    pub(crate) state: Disk,
    pub(crate) slot: Arc<Mutex<Slot>>,
    pub(crate) rate: f64,
    /// How long its log's disk takes to sync.
    pub(crate) sync_takes: Duration,
    /// The disk that fails, or is about to, until its process is ended.
    pub(crate) failing: Option<Failing>,
    pub(crate) was_wiped: bool,
    /// Bits of its log were turned.
    pub(crate) was_turned: bool,
    /// The greatest term, and the last entry carried out, that were ever seen of it.
    pub(crate) term: u64,
    /// A later term, which its log's disk may not have yet, and how often it was seen in it.
    pub(crate) rising: (u64, u64),
    pub(crate) applied: Option<u64>,
    /// The last entry carried out in this life of its process.
    pub(crate) applied_now: Option<u64>,
    /// Where the last file of its log ended a while ago.
    pub(crate) earlier: Option<(String, usize)>,
}

/// What a member is to the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is about to belong to it.
    Coming,
    /// It belongs to it.
    Member,
    /// It belongs to it, and is of no use any more: its disks are damaged, or it lost them.
    Lost,
    /// It was removed when others were in this term, and may not know.
    Removed { in_term: u64 },
    /// Nobody.
    Spare,
}

impl Standing {
    /// Whether it is of use to the cluster, or will be.
    pub(crate) fn is_sound(self) -> bool {
        matches!(self, Self::Coming | Self::Member)
    }
}

/// Which of a member's disks fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failing {
    State,
    /// Its log's, and perhaps the other too: what it says of itself may be more than is on disk.
    Log,
}

/// How a member's process is.
pub(crate) enum Slot {
    Down,
    Starting,
    Runs(Arc<Cluster>),
    Refused(Error),
}

impl Node {
    /// Nobody yet, on a host with so fast a clock and so slow a disk.
    pub(crate) fn new(id: u64, rate: f64, sync_takes: Duration) -> Self {
        Self {
            id,
            standing: Standing::Spare,
            log: SimDisk::new(),
            state: Disk::new(),
            slot: Arc::new(Mutex::new(Slot::Down)),
            rate,
            sync_takes,
            failing: None,
            was_wiped: false,
            was_turned: false,
            term: 0,
            rising: (0, 0),
            applied: None,
            applied_now: None,
            earlier: None,
        }
    }

    /// Somebody else on the same host, with empty disks.
    pub(crate) fn renew(&mut self, id: u64) {
        *self = Self::new(id, self.rate, self.sync_takes);
        self.standing = Standing::Coming;
    }

    /// The last file of its log, and where that ends.
    pub(crate) fn end_of_log(&self) -> Option<(String, usize)> {
        let (name, bytes) = self.log.files().into_iter().rfind(|(name, _)| name.rsplit('.').next() == Some("log"))?;
        let end = bytes.iter().rposition(|byte| *byte != 0)?;
        Some((name, end))
    }
}
