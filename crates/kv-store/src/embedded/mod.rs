pub(crate) mod disk;
mod engine;
pub(crate) mod image;
pub(crate) mod making;
pub(crate) mod open;
mod options;
pub(crate) mod view;
pub(crate) mod wall;
mod writer;

use std::{fmt, io, path::Path, time::Duration};

use jarre_core::BoxFuture;

pub use options::EmbeddedOptions;

use crate::{
    Entry, KeyRange, Lease, LeaseId, Metrics, Page, RangeRequest, Result, Revision, SessionId, SnapshotInfo, Status, Store, Txn,
    TxnOutcome, Verified, Watch, WatchRequest,
    forward::forward_store,
    local::{Engine, Local, read},
    machine,
};
use engine::OneFile;

/// A store in one file of this machine.
///
/// A change is acknowledged after it is on disk; changes that come together are made durable together. A process that is killed, or a
/// machine that loses its power, loses nothing that was acknowledged and keeps nothing half. After a write that failed the store stops:
/// what the disk holds then is found out by opening it again.
///
/// One store has the file open at a time. Its futures need no runtime, and one thread of its own writes.
///
/// ```
/// use jarre_kv_store::{Compare, Embedded, Op, Store, Txn};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("records.kv");
/// # pollster::block_on(async {
/// let store = Embedded::open(&path)?;
/// let take = Txn::new().when(Compare::missing("lock")).then(Op::put("lock", "me"));
/// assert!(store.txn(take.clone()).await?.succeeded);
/// assert!(!store.txn(take).await?.succeeded, "it is taken");
/// drop(store);
/// assert_eq!(Embedded::open(&path)?.get(b"lock").await?.unwrap().value, b"me");
/// # Ok::<(), jarre_kv_store::Error>(()) }).unwrap();
/// ```
pub struct Embedded {
    local: Local<OneFile>,
}

impl Embedded {
    /// The store in the file at `path`, which is made where there is none.
    ///
    /// # Errors
    /// [`InUse`](crate::Error::InUse) where another has it open, [`Membership`](crate::Error::Membership) where it is that of a cluster's member, [`Corrupt`](crate::Error::Corrupt) where it is damaged or no store,
    /// [`Format`](crate::Error::Format) where a later version made it, [`Io`](crate::Error::Io) where it cannot be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &EmbeddedOptions::default())
    }

    /// The same, with other options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: &EmbeddedOptions) -> Result<Self> {
        open::open(path.as_ref(), options).map(Self::of)
    }

    /// A store on a disk of one's own, so that it can be made to fail.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[cfg(feature = "testing")]
    pub fn open_on(disk: impl redb::StorageBackend, options: &EmbeddedOptions) -> Result<Self> {
        open::open_on(disk, options).map(Self::of)
    }

    /// Makes a file at `path` that holds what a snapshot holds, whole or not at all. Leases start at their whole TTL when it is opened.
    ///
    /// # Errors
    /// [`Corrupt`](crate::Error::Corrupt) where the snapshot is damaged or cut off, [`Io`](crate::Error::Io) where there is a file at `path`
    /// already or the disk fails.
    pub fn restore(path: impl AsRef<Path>, from: impl io::Read) -> Result<()> {
        open::restore(path.as_ref(), from)
    }

    /// Reads the file at `path`, that of a store or of a cluster's member, holds all of it to its checksums, and checks that it belongs together.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`Corrupt`](crate::Error::Corrupt) with the place where it is damaged.
    pub fn check(path: impl AsRef<Path>) -> Result<Verified> {
        open::check(path.as_ref())
    }

    /// Reads all there is, holds it to its checksums, and checks that it belongs together. Takes as long as reading the file.
    ///
    /// # Errors
    /// [`Corrupt`](crate::Error::Corrupt) with the place where it is damaged.
    pub fn verify(&self) -> Result<Verified> {
        read(&*self.local.engine, machine::verify)
    }

    /// What the store has done since it was opened.
    pub fn metrics(&self) -> Metrics {
        self.local.engine.shared().counters.read()
    }

    fn of(engine: OneFile) -> Self {
        Self { local: Local::new(engine) }
    }
}

forward_store!([] Embedded, |this| this.local);

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded").field("place", &self.local.engine.place()).finish_non_exhaustive()
    }
}
