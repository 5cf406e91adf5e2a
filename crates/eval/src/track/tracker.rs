use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jarre_core::{Clock, Timestamp};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    fault::{Fault, Step},
    open,
};
use crate::Result;

/// Experiments, their runs with figures and samples, prompts, feedback and cached answers, in one `SQLite` file.
///
/// Several processes may have the file open. They read side by side; one writes at a time, and the others wait for
/// [`busy_timeout`](TrackerOptions::with_busy_timeout). A process that is killed loses nothing that a call has acknowledged; a machine that
/// loses its power may lose the last calls, whole, unless [`Durability::Full`] is asked for. Clones share the connections.
///
/// ```
/// use jarre_core::SystemClock;
/// use jarre_eval::track::{NewRun, RunStatus, Tracker};
/// use std::{sync::Arc, time::Duration};
///
/// # let folder = tempfile::tempdir().unwrap();
/// let tracker = Tracker::open(folder.path().join("runs.db"), Arc::new(SystemClock::new()))?;
/// let id = tracker.create_run(&NewRun::new("gsm8k").with_name("zero-shot").with_seed(7))?;
/// let lease = tracker.start_run(&id, Duration::from_secs(60))?;
/// tracker.log_metric(&id, "accuracy", 0, 0.61)?;
/// tracker.finish_run(&lease, RunStatus::Done)?;
/// assert_eq!(tracker.run(&id)?.status, RunStatus::Done);
/// assert_eq!(tracker.latest_metrics(&id)?[0].value, 0.61);
/// # Ok::<(), jarre_eval::Error>(())
/// ```
#[derive(Clone)]
pub struct Tracker {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None` for a database in memory, of which there is one connection.
    path: Option<PathBuf>,
    place: String,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    clock: Arc<dyn Clock>,
    options: TrackerOptions,
}

/// Connections that are kept for the next reader.
const IDLE_READERS: usize = 4;

/// How a [`Tracker`] treats its file.
#[derive(Clone, Copy, Debug)]
pub struct TrackerOptions {
    pub(super) durability: Durability,
    pub(super) busy_timeout: Duration,
    pub(super) artifact_limit: usize,
}

/// What a write is safe from once it is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// From the end of the process, however sudden. The last writes before a power cut may be lost, each whole; the file stays sound.
    #[default]
    Process,
    /// From a power cut as well, for the price of a sync of the disk a write.
    Full,
}

impl Default for TrackerOptions {
    fn default() -> Self {
        Self { durability: Durability::Process, busy_timeout: Duration::from_secs(10), artifact_limit: 16 << 20 }
    }
}

impl TrackerOptions {
    /// What writes are safe from; [`Durability::Process`] if not said.
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How long a call waits while another process writes before it fails with [`Error::TrackingBusy`](crate::Error::TrackingBusy); 10 s if not said.
    pub fn with_busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// The largest artifact, in bytes, that is kept inside the file; 16 MiB if not said.
    pub fn with_artifact_limit(mut self, bytes: usize) -> Self {
        self.artifact_limit = bytes;
        self
    }
}

impl Tracker {
    /// The database at `path`, which is made where there is none; the folder must be there. Stamps are taken from `clock`.
    ///
    /// # Errors
    /// [`Error::TrackingDamaged`](crate::Error::TrackingDamaged) where the file is damaged or another program's, [`Error::TrackingNewer`](crate::Error::TrackingNewer) where a later version made it,
    /// and [`Error::Tracking`](crate::Error::Tracking) where it cannot be read or written; the file is then left as it is.
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::open_with(path, clock, TrackerOptions::default())
    }

    /// The same with other options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, clock: Arc<dyn Clock>, options: TrackerOptions) -> Result<Self> {
        let path = path.as_ref();
        let writer = open::writer(path, &options)?;
        Ok(Self::over(writer, Some(path.to_owned()), clock, options))
    }

    /// An empty database that lasts as long as this value and its clones.
    ///
    /// # Errors
    /// [`Error::Tracking`](crate::Error::Tracking) where `SQLite` has no memory.
    pub fn open_in_memory(clock: Arc<dyn Clock>) -> Result<Self> {
        let options = TrackerOptions::default();
        Ok(Self::over(open::in_memory(&options)?, None, clock, options))
    }

    /// Reads the whole file and holds it to its own structure: pages, indices, and references between tables.
    ///
    /// # Errors
    /// [`Error::TrackingDamaged`](crate::Error::TrackingDamaged) with the first thing that is wrong.
    pub fn verify(&self) -> Result<()> {
        self.read(|reading| open::verify(reading, &self.inner.place))
    }

    fn over(writer: Connection, path: Option<PathBuf>, clock: Arc<dyn Clock>, options: TrackerOptions) -> Self {
        let place = path.as_ref().map_or_else(|| "the database in memory".to_owned(), |path| path.display().to_string());
        let (writer, readers) = (Mutex::new(writer), Mutex::new(Vec::new()));
        Self { inner: Arc::new(Inner { path, place, writer, readers, clock, options }) }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inner.clock.timestamp()
    }

    /// The time that has passed on the clock, for pauses between writes.
    pub(super) fn elapsed(&self) -> Duration {
        self.inner.clock.now()
    }

    pub(super) fn options(&self) -> &TrackerOptions {
        &self.inner.options
    }

    /// Runs `work` in a transaction that holds the write lock from its start, and commits it unless it fails.
    pub(super) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Step<T>) -> Result<T> {
        let mut connection = lock(&self.inner.writer);
        let whole = || {
            let writing = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&writing)?;
            writing.commit()?;
            Ok(done)
        };
        whole().map_err(|fault: Fault| fault.at(&self.inner.place))
    }

    /// Runs `work` on one state of the database, which writers do not change under it.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Step<T>) -> Result<T> {
        let Some(path) = &self.inner.path else {
            return self.read_on(&mut lock(&self.inner.writer), work);
        };
        let idle = lock(&self.inner.readers).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => open::reader(path, self.options()).map_err(|fault| fault.at(&self.inner.place))?,
        };
        let done = self.read_on(&mut connection, work);
        let mut readers = lock(&self.inner.readers);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        done
    }

    fn read_on<T>(&self, connection: &mut Connection, work: impl FnOnce(&Transaction<'_>) -> Step<T>) -> Result<T> {
        let reading = connection.transaction().map_err(|error| Fault::from(error).at(&self.inner.place))?;
        work(&reading).map_err(|fault| fault.at(&self.inner.place))
    }
}

/// A transaction that a panic left behind was rolled back on the way out, so that the connection is good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Tracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracker").field("place", &self.inner.place).finish_non_exhaustive()
    }
}
