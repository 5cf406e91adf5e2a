use std::{fmt, sync::Arc};

use crate::{log, testing};

/// The disks of a member under test: one for its log, one for its state.
#[derive(Clone)]
pub struct Disks {
    /// The log's.
    pub log: Arc<dyn log::Disk>,
    /// The state's.
    pub state: testing::Disk,
}

impl fmt::Debug for Disks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disks").finish_non_exhaustive()
    }
}
