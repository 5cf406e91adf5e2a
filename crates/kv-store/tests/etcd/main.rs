//! A store in a real etcd keeps every promise of `Store`, also when its server dies. Each test starts an etcd of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../authority/mod.rs"]
mod authority;
mod cluster;
mod failing;
mod following;
mod rate;
mod sessions;
mod sharing;
mod tls;

use std::{sync::Arc, thread, time::Duration};

use jarre_core::{BoxFuture, SystemClock};
use jarre_kv_store::{
    Etcd, Limits, Memory, Store,
    testing::{Subject, conformance},
};

use cluster::Cluster;

struct InEtcd {
    store: Arc<Etcd>,
}

impl Subject for InEtcd {
    fn store(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::clone(&self.store) as Arc<dyn Store> })
    }

    fn pass(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move { thread::sleep(time) })
    }

    fn restore(&self, snapshot: Vec<u8>) -> Option<BoxFuture<'_, Arc<dyn Store>>> {
        let restored = Memory::restore(&*snapshot, Arc::new(SystemClock::new()), Limits::default()).unwrap();
        Some(Box::pin(async { Arc::new(restored) as Arc<dyn Store> }))
    }

    fn watches_ahead(&self) -> bool {
        true
    }
}

#[test]
fn conforms() {
    let cluster = Cluster::start(1);
    pollster::block_on(conformance(&InEtcd { store: Arc::new(cluster.store("conformance/")) }));
}

#[test]
fn three_members_conform() {
    let cluster = Cluster::start(3);
    pollster::block_on(conformance(&InEtcd { store: Arc::new(cluster.store("p")) }));
}

#[tokio::test]
async fn serves_callers_with_a_runtime_of_their_own() {
    let cluster = Cluster::start(1);
    let options = cluster.options("p/").with_timeout(Duration::from_secs(20));
    let store = Etcd::connect(options).await.unwrap();
    let revision = store.put(b"a", b"1").await.unwrap();
    assert_eq!(store.get(b"a").await.unwrap().unwrap().mod_revision, revision);
    drop(store);
}
