use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_kv_store::{Cluster, Error, log::SimDisk, testing::Disk};

/// A member, its disks, and what was seen of it.
pub(crate) struct Node {
    pub(crate) log: SimDisk,
    pub(crate) state: Disk,
    pub(crate) slot: Arc<Mutex<Slot>>,
    pub(crate) rate: f64,
    /// How long its log's disk takes to sync.
    pub(crate) sync_takes: Duration,
    /// Its log's disk fails, or is about to: what it says of itself may be more than is on disk.
    pub(crate) log_fails: bool,
    /// It is out for good: its disks are damaged, or it lost them.
    pub(crate) is_out: bool,
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
    /// What it had carried out at the last look, and its digest.
    pub(crate) digest: Option<(u64, [u8; 32])>,
    /// Where the last file of its log ended a while ago.
    pub(crate) earlier: Option<(String, usize)>,
}

/// How a member's process is.
pub(crate) enum Slot {
    Down,
    Starting,
    Runs(Arc<Cluster>),
    Refused(Error),
}

impl Node {
    pub(crate) fn new(rate: f64, sync_millis: u64) -> Self {
        Self {
            log: SimDisk::new(),
            state: Disk::new(),
            slot: Arc::new(Mutex::new(Slot::Down)),
            rate,
            sync_takes: Duration::from_millis(sync_millis),
            log_fails: false,
            is_out: false,
            was_wiped: false,
            was_turned: false,
            term: 0,
            rising: (0, 0),
            applied: None,
            applied_now: None,
            digest: None,
            earlier: None,
        }
    }

    /// The last file of its log, and where that ends.
    pub(crate) fn end_of_log(&self) -> Option<(String, usize)> {
        let (name, bytes) = self.log.files().into_iter().rfind(|(name, _)| name.rsplit('.').next() == Some("log"))?;
        let end = bytes.iter().rposition(|byte| *byte != 0)?;
        Some((name, end))
    }
}
