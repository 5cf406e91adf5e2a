use std::{sync::Arc, time::Duration};

use jarre_core::{BoxFuture, testing::ManualClock};
use jarre_kv_store::{
    Embedded, EmbeddedOptions, Limits, Memory, Remote, Store,
    http::ServerConfig,
    testing::{Subject, conformance},
};

use crate::serving::Served;

pub(crate) struct Client {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) remote: Remote,
}

impl Subject for Client {
    fn store(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::new(self.remote.clone()) as Arc<dyn Store> })
    }

    fn pass(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.clock.advance(time) })
    }

    fn watches_ahead(&self) -> bool {
        true
    }

    fn restore(&self, snapshot: Vec<u8>) -> Option<BoxFuture<'_, Arc<dyn Store>>> {
        let restored = Memory::restore(&*snapshot, Arc::clone(&self.clock) as _, Limits::default()).unwrap();
        Some(Box::pin(async { Arc::new(restored) as Arc<dyn Store> }))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_memory_keeps_every_promise_over_http() {
    let clock = Arc::new(ManualClock::default());
    let store = Arc::new(Memory::with(Arc::clone(&clock) as _, Limits::default()));
    let served = Served::new(store, ServerConfig::default()).await;
    conformance(&Client { clock, remote: served.remote() }).await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_a_file_keeps_every_promise_over_http() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let options = EmbeddedOptions::new().with_clock(Arc::clone(&clock) as _);
    let store = Arc::new(Embedded::open_with(folder.path().join("store"), &options).unwrap());
    let served = Served::new(store, ServerConfig::default()).await;
    conformance(&Client { clock, remote: served.remote() }).await;
    served.stop().await;
}
