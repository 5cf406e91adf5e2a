//! Load on a store, and how long answers take: a closed loop, in which each client asks again once it has its answer.

mod client;
mod histogram;
mod report;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use futures_channel::oneshot;
use jarre_core::{BoxFuture, Clock};
use serde::{Deserialize, Serialize};

use self::client::{Shared, Told};
use crate::{Error, ReadLevel, Result, Store};

pub use histogram::Histogram;
pub use report::LoadReport;

/// What each client does, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Work {
    /// Puts keys that were never there.
    PutUnique,
    /// Puts keys that are there, one of so many.
    PutOver {
        /// How many keys there are.
        keys: u64,
    },
    /// Reads keys that are there, one of so many.
    Read {
        /// How many keys there are.
        keys: u64,
        /// How fresh they must be.
        level: ReadLevel,
    },
    /// Puts and linearizable reads of keys that need not be there, one of so many.
    Mixed {
        /// How many keys there are.
        keys: u64,
        /// How many of a hundred requests are reads.
        reads: u8,
    },
}

/// A load: how many clients, what they do, and for how long.
///
/// ```
/// use std::{sync::Arc, thread, time::Duration};
///
/// use jarre_core::SystemClock;
/// use jarre_kv_store::{Memory, load::{Load, Work}};
///
/// let load = Load::new(Work::PutUnique).with_clients(4).with_duration(Duration::from_millis(20));
/// let report = pollster::block_on(load.run(Arc::new(Memory::new()), Arc::new(SystemClock::new()), |client| {
///     thread::spawn(|| pollster::block_on(client));
/// }))?;
/// assert!(report.operations > 0 && report.errors.is_empty(), "{report}");
/// # Ok::<(), jarre_kv_store::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Load {
    /// What each client does.
    pub work: Work,
    /// How many clients there are; each has one request under way.
    pub clients: usize,
    /// Bytes of a value.
    pub value: usize,
    /// What every key begins with.
    pub prefix: String,
    /// How long nothing is counted at first.
    pub warm_up: Duration,
    /// How long is counted.
    pub duration: Duration,
    /// The most operations that are counted; the load ends with them.
    pub operations: Option<u64>,
}

impl Load {
    /// One client that does `work` for ten seconds, with values of 256 bytes.
    pub fn new(work: Work) -> Self {
        let (warm_up, duration) = (Duration::ZERO, Duration::from_secs(10));
        Self { work, clients: 1, value: 256, prefix: "load/".to_owned(), warm_up, duration, operations: None }
    }

    /// With so many clients.
    pub const fn with_clients(mut self, clients: usize) -> Self {
        self.clients = clients;
        self
    }

    /// With values of so many bytes.
    pub const fn with_value(mut self, bytes: usize) -> Self {
        self.value = bytes;
        self
    }

    /// Under keys that begin with `prefix`.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// After so long a time that is not counted.
    pub const fn with_warm_up(mut self, warm_up: Duration) -> Self {
        self.warm_up = warm_up;
        self
    }

    /// For so long.
    pub const fn with_duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// Until so many operations were counted, if that is sooner.
    pub const fn with_operations(mut self, operations: u64) -> Self {
        self.operations = Some(operations);
        self
    }

    /// Puts the load on `store`. `spawn` runs each client it is given on its own: as a task of a runtime, or on a thread.
    ///
    /// # Errors
    /// Where the keys that are to be there cannot be put before. What fails afterwards is counted.
    pub async fn run(&self, store: Arc<dyn Store>, clock: Arc<dyn Clock>, spawn: impl Fn(BoxFuture<'static, ()>)) -> Result<LoadReport> {
        self.prepare(&*store).await?;
        let begin = clock.now() + self.warm_up;
        let shared = Arc::new(Shared { load: self.clone(), begin, store, clock, counted: AtomicU64::new(0) });
        let clients = (0..self.clients).map(|number| {
            let (shared, (done, told)) = (Arc::clone(&shared), oneshot::channel());
            spawn(Box::pin(async move {
                // Who asked may have gone away.
                let _ = done.send(shared.client(number as u64).await);
            }));
            told
        });
        let (clients, mut all): (Vec<_>, _) = (clients.collect(), Told::default());
        for client in clients {
            all.add(client.await.map_err(|_| Error::Closed)?);
        }
        Ok(LoadReport::new(self, &all))
    }

    async fn prepare(&self, store: &dyn Store) -> Result<()> {
        let (Work::PutOver { keys } | Work::Read { keys, .. }) = self.work else { return Ok(()) };
        let value = vec![b'v'; self.value];
        for number in 0..keys {
            store.put(self.key(number).as_bytes(), &value).await?;
        }
        Ok(())
    }

    fn key(&self, number: u64) -> String {
        format!("{}{number:012}", self.prefix)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PutUnique => f.write_str("put new keys"),
            Self::PutOver { keys } => write!(f, "put over {keys} keys"),
            Self::Read { keys, level } => {
                let level = match level {
                    ReadLevel::Linearizable => "linearizable",
                    ReadLevel::Lease => "lease",
                    ReadLevel::Stale { .. } => "stale",
                };
                write!(f, "{level} reads of {keys} keys")
            }
            Self::Mixed { keys, reads } => write!(f, "puts and {reads} % linearizable reads over {keys} keys"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::Ordering, thread};

    use jarre_core::{SystemClock, Timestamp};

    use super::*;
    use crate::{KeyRange, Memory, RangeRequest};

    fn threads(client: BoxFuture<'static, ()>) {
        thread::spawn(|| pollster::block_on(client));
    }

    fn run(load: &Load, store: Arc<dyn Store>) -> LoadReport {
        pollster::block_on(load.run(store, Arc::new(SystemClock::new()), threads)).expect("keys are put before")
    }

    #[test]
    fn every_operation_that_counts_was_done_and_no_more() {
        let store = Arc::new(Memory::new());
        let load = Load::new(Work::PutUnique).with_clients(4).with_operations(500).with_value(10);
        let report = run(&load, Arc::clone(&store) as _);
        let page = pollster::block_on(store.range(RangeRequest::new(KeyRange::all()))).expect("a range");
        assert_eq!(page.entries.len() as u64, report.operations, "{report}");
        assert!((500..504).contains(&report.operations), "each client has one under way: {report}");
        assert!(page.entries.iter().all(|entry| entry.version == 1 && entry.value.len() == 10));
        assert!(report.p50 <= report.p90 && report.p90 <= report.p99 && report.p99 <= report.max && report.max > Duration::ZERO);
    }

    #[test]
    fn reads_find_what_was_put_and_puts_go_over_it() {
        let store = Arc::new(Memory::new());
        let over = run(&Load::new(Work::PutOver { keys: 10 }).with_clients(3).with_operations(100), Arc::clone(&store) as _);
        let status = pollster::block_on(store.status()).expect("a status");
        assert_eq!((status.keys, status.revision.0), (10, 1 + 10 + over.operations));
        let level = ReadLevel::Stale { max_age: Duration::from_secs(1) };
        let read = run(&Load::new(Work::Read { keys: 10, level }).with_clients(3).with_operations(100), Arc::clone(&store) as _);
        assert!(read.operations >= 100 && read.errors.is_empty(), "{read}");
        assert_eq!(serde_json::from_str::<LoadReport>(&serde_json::to_string(&read).expect("JSON")).expect("JSON"), read);
    }

    #[test]
    fn of_a_hundred_requests_so_many_are_reads() {
        for reads in [0, 30, 100] {
            let store = Arc::new(Memory::new());
            let work = Work::Mixed { keys: 7, reads };
            let report = run(&Load::new(work).with_operations(200), Arc::clone(&store) as _);
            let revision = pollster::block_on(store.status()).expect("a status").revision.0;
            assert_eq!((report.operations, revision - 1), (200, 200 - 2 * u64::from(reads)), "nothing is put before: {report}");
        }
    }

    #[test]
    fn what_fails_is_counted_by_its_kind() {
        let store = Arc::new(Memory::new());
        let load = Load::new(Work::PutUnique).with_prefix("x".repeat(5000)).with_duration(Duration::from_millis(5));
        let report = run(&load, store);
        assert_eq!((report.operations, report.errors.keys().cloned().collect::<Vec<_>>()), (0, vec!["TooLarge".to_owned()]), "{report}");
        assert!(report.to_string().contains("TooLarge"));
    }

    /// A second passes whenever it is looked at.
    #[derive(Default)]
    struct Ticking(AtomicU64);

    impl Clock for Ticking {
        fn now(&self) -> Duration {
            Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
        }

        fn timestamp(&self) -> Timestamp {
            Timestamp::from_unix_micros(0)
        }
    }

    #[test]
    fn the_warm_up_is_not_counted() {
        let store = Arc::new(Memory::new());
        let load = Load::new(Work::PutUnique).with_warm_up(Duration::from_secs(3)).with_duration(Duration::from_secs(4));
        let run = load.run(Arc::clone(&store) as _, Arc::new(Ticking::default()), threads);
        let report = pollster::block_on(run).expect("a report");
        // It begins at 0. Operations last from 1 to 2, from 3 to 4 and from 5 to 6; 7 is too late.
        assert_eq!(pollster::block_on(store.status()).expect("a status").keys, 3);
        assert_eq!((report.operations, report.p50, report.max), (2, Duration::from_secs(1), Duration::from_secs(1)), "{report}");
        assert!((report.per_second - 2.0 / 3.0).abs() < 1e-9, "{report}");
    }
}
