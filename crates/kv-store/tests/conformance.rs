//! Both stores of one process keep every promise of `Store`.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jarre_core::{BoxFuture, testing::ManualClock};
use jarre_kv_store::{
    Embedded, EmbeddedOptions, Limits, Memory, Store,
    testing::{Subject, conformance},
};

struct InMemory {
    clock: Arc<ManualClock>,
    store: Arc<Memory>,
}

impl Subject for InMemory {
    fn store(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::clone(&self.store) as Arc<dyn Store> })
    }

    fn pass(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.clock.advance(time) })
    }

    fn restore(&self, snapshot: Vec<u8>) -> Option<BoxFuture<'_, Arc<dyn Store>>> {
        let restored = Memory::restore(&*snapshot, Arc::clone(&self.clock) as _, Limits::default()).unwrap();
        Some(Box::pin(async { Arc::new(restored) as Arc<dyn Store> }))
    }
}

struct InOneFile {
    clock: Arc<ManualClock>,
    folder: PathBuf,
    store: Arc<Embedded>,
    restored: AtomicUsize,
}

impl Subject for InOneFile {
    fn store(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::clone(&self.store) as Arc<dyn Store> })
    }

    fn pass(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.clock.advance(time) })
    }

    fn restore(&self, snapshot: Vec<u8>) -> Option<BoxFuture<'_, Arc<dyn Store>>> {
        let path = self.folder.join(format!("restored-{}", self.restored.fetch_add(1, Ordering::Relaxed)));
        Embedded::restore(&path, &*snapshot).unwrap();
        Some(Box::pin(async { Arc::new(Embedded::open(path).unwrap()) as Arc<dyn Store> }))
    }
}

#[test]
fn memory() {
    let clock = Arc::new(ManualClock::default());
    let store = Arc::new(Memory::with(Arc::clone(&clock) as _, Limits::default()));
    pollster::block_on(conformance(&InMemory { clock, store: Arc::clone(&store) }));
    store.verify().unwrap();
}

#[test]
fn embedded() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let options = EmbeddedOptions::new().with_clock(Arc::clone(&clock) as _);
    let store = Arc::new(Embedded::open_with(folder.path().join("store"), &options).unwrap());
    let subject = InOneFile { clock, folder: folder.path().to_owned(), store: Arc::clone(&store), restored: AtomicUsize::new(0) };
    pollster::block_on(conformance(&subject));
    store.verify().unwrap();
}
