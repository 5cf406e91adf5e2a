use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use jarre_core::{BoxFuture, Clock, SystemClock};

use crate::{
    Entry, KeyRange, Lease, LeaseId, Limits, Metrics, Page, RangeRequest, Result, Revision, SessionId, SnapshotInfo, Status, Store, Txn,
    TxnOutcome, Verified, Watch, WatchRequest,
    forward::forward_store,
    local::{Engine, Local, Shared, read},
    machine::{self, Answer, Batch, Command, Rows},
    snapshot,
};

/// A store in memory, gone with its process: for tests, and for what need not last.
///
/// Leases end when the store is next used after their time.
///
/// ```
/// use jarre_kv_store::{KeyRange, Memory, RangeRequest, Store};
///
/// # pollster::block_on(async {
/// let store = Memory::new();
/// let first = store.put(b"run/1", b"started").await?;
/// store.put(b"run/1", b"done").await?;
/// assert_eq!(store.get(b"run/1").await?.unwrap().value, b"done");
/// let then = store.range(RangeRequest::new(KeyRange::prefix("run/")).at(first)).await?;
/// assert_eq!(then.entries[0].value, b"started", "as it was");
/// # Ok::<(), jarre_kv_store::Error>(()) }).unwrap();
/// ```
pub struct Memory {
    local: Local<Kept>,
}

struct Kept {
    rows: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
    shared: Shared,
}

impl Memory {
    /// An empty store with the machine's clock.
    pub fn new() -> Self {
        Self::with(Arc::new(SystemClock::new()), Limits::default())
    }

    /// An empty store whose leases end by `clock`.
    pub fn with(clock: Arc<dyn Clock>, limits: Limits) -> Self {
        Self::of(BTreeMap::new(), Shared::new(clock, limits))
    }

    /// The store that a snapshot was taken of. Leases start at their whole TTL.
    ///
    /// # Errors
    /// [`Corrupt`](crate::Error::Corrupt) where the snapshot is damaged or cut off, [`Io`](crate::Error::Io) where it cannot be read.
    pub fn restore(from: impl io::Read, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self> {
        let mut rows = BTreeMap::new();
        snapshot::read(from, |key, value| {
            rows.insert(key.to_vec(), value.to_vec());
            Ok(())
        })?;
        machine::verify(&rows)?;
        let shared = Shared::new(clock, limits);
        shared.keep_leases(&rows)?;
        Ok(Self::of(rows, shared))
    }

    /// Reads all there is and checks that it belongs together.
    ///
    /// # Errors
    /// [`Corrupt`](crate::Error::Corrupt) where it does not.
    pub fn verify(&self) -> Result<Verified> {
        read(&*self.local.engine, machine::verify)
    }

    /// What the store has done so far.
    pub fn metrics(&self) -> Metrics {
        self.local.engine.shared.counters.read()
    }

    fn of(rows: BTreeMap<Vec<u8>, Vec<u8>>, shared: Shared) -> Self {
        Self { local: Local::new(Kept { rows: RwLock::new(rows), shared }) }
    }
}

forward_store!([] Memory, |this| this.local);

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Engine for Kept {
    const KIND: &'static str = "memory";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn view(&self, look: &mut dyn FnMut(&dyn Rows) -> Result<()>) -> Result<()> {
        self.shared.sound()?;
        look(&*self.rows.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn submit(&self, command: Command) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(async move {
            let answer = self.apply(&command).inspect_err(|error| self.shared.poison(error))?;
            self.shared.wakers.wake();
            Ok(answer)
        })
    }

    fn bytes(&self) -> Option<u64> {
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        Some(rows.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum())
    }
}

impl Kept {
    fn apply(&self, command: &Command) -> Result<Answer> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        self.shared.sound()?;
        let mut batch = Batch::begin(&mut *rows)?;
        let answer = batch.apply(command)?;
        batch.finish()?;
        self.shared.counters.committed(1, Duration::ZERO);
        // While the rows are locked, so that a lease is known to who keeps time as soon as it is seen.
        self.shared.observe([(command, &answer)]);
        Ok(answer)
    }
}
