//! The Raft log on disk: segments of checksummed records, one write and one sync for whatever waits together.
//!
//! Votes, entries, truncations and purges are records of one stream, so the order in which a node promised things is the order in which
//! they became durable. What was acknowledged survives a crash; what was not is there wholly or not at all, entry by entry.
//!
//! **Files.** A log is a folder of segments `wal-<sequence>.log`. A segment has a header that says whose it is, then what a later reader
//! needs of earlier segments (vote, commit and purge marks), then batches of records, and last a seal. It is made under another name,
//! synced, and renamed, so that a segment never stands there without a whole header.
//!
//! **Records** are 40 bytes of header and a payload, padded to 8. The header's checksum covers the segment, the place in it and a salt: bytes
//! that a disk wrote elsewhere, or left from another life of a file, are no record. Each record knows where its batch begins.
//!
//! **Recovery.** A batch is written only after the one before it was synced. So a bad record after which stands a record of a *later* batch
//! was durable once: that is corruption, and [`RaftLog::open`] refuses with file and position. A bad record followed by nothing, or by
//! pieces of its own batch, was never acknowledged: it is cut off. (Damage to the very last batch cannot be told from a torn write.)
//! The last batch is written again before anything is answered, because pages whose sync failed may be in memory only, and marked clean.
//!
//! **Failures.** Once a write or a sync failed, nobody knows what is on the disk: every later call fails with [`LogError::Poisoned`], and
//! nothing is tried again. The process should exit and recover.
//!
//! ```
//! use std::sync::Arc;
//! use jarre_kv_store::log::{FsDisk, LogConfig, LogEntry, RaftLog};
//!
//! let dir = tempfile::tempdir()?;
//! let (log, _) = RaftLog::open(Arc::new(FsDisk::open(dir.path())?), LogConfig::new(7, 1))?;
//! log.append_and_wait(vec![LogEntry::new(0, 1, b"first"), LogEntry::new(1, 1, b"second")])?;
//! drop(log);
//!
//! let (log, recovery) = RaftLog::open(Arc::new(FsDisk::open(dir.path())?), LogConfig::new(7, 1))?;
//! assert_eq!(recovery.torn_bytes, 0);
//! assert_eq!(log.read(1..2, usize::MAX)?[0].payload.as_ref(), b"second");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod contents;
mod disk;
mod error;
mod flusher;
mod fs_disk;
mod log_store;
mod queue;
mod raft_log;
mod record;
mod recovery;
mod segment;
#[cfg(feature = "testing")]
mod sim_disk;
mod window;

pub use contents::{LogEntry, LogState, Mark};
pub use disk::{Disk, DiskFile};
pub use error::{LogError, Result};
pub use fs_disk::FsDisk;
pub use log_store::LogStore;
pub(crate) use log_store::Observer;
pub use raft_log::{LogConfig, RaftLog};
pub use recovery::Recovery;
#[cfg(feature = "testing")]
pub use sim_disk::{SimDisk, SimFault};
