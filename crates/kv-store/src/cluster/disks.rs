use std::{fmt, sync::Arc, time::Duration};

use crate::{log, testing};

/// The disks of a member under test: one for its log, one for its state.
#[derive(Clone)]
pub struct Disks {
    /// The log's.
    pub log: Arc<dyn log::Disk>,
    /// The state's.
    pub state: testing::Disk,
    /// How long the log's disk takes to sync; where it takes no time, nothing is acknowledged before it is on disk.
    pub sync_takes: Duration,
}

impl fmt::Debug for Disks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disks").finish_non_exhaustive()
    }
}
