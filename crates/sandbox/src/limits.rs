use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a command may use. All hold for its whole tree of processes, but for `file_size` and `open_files`, which hold for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Limits {
    /// Time until all of it is ended.
    pub wall: Duration,
    /// Processor time.
    pub cpu: Duration,
    /// Memory, in bytes.
    pub memory: u64,
    /// Processes and threads at one time.
    pub processes: u64,
    /// The largest file, in bytes.
    pub file_size: u64,
    /// Bytes in the folder, beyond what was there; a file or folder counts 4 KiB at least. As much again in `/tmp`, but at most half of `memory`.
    pub disk: u64,
    /// Open files of a process.
    pub open_files: u64,
    /// Bytes kept of each output stream.
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(30),
            cpu: Duration::from_mins(1),
            memory: 1 << 30,
            processes: 64,
            file_size: 64 << 20,
            disk: 256 << 20,
            open_files: 256,
            output: 64 << 10,
        }
    }
}
