//! How fast an etcd that is already running is, for whoever compares another store with it.

use std::{env, sync::Arc, time::Duration};

use jarre_core::SystemClock;
use jarre_kv_store::{
    Etcd, EtcdOptions, ReadLevel, Store,
    load::{Load, Work},
};

/// The members at `JARRE_ETCD_ENDPOINTS`, split at commas, under puts and reads of 256 bytes by 1, 64 and 256 clients; each for
/// `JARRE_LOAD_SECONDS`, five if it is not set.
#[tokio::test]
#[ignore = "measures a cluster that somebody started: benches/peers/etcd_cluster.py"]
#[expect(clippy::disallowed_methods, reason = "who measures says what by the environment")]
async fn rate() {
    let endpoints = env::var("JARRE_ETCD_ENDPOINTS").expect("JARRE_ETCD_ENDPOINTS names the members");
    let seconds = env::var("JARRE_LOAD_SECONDS").map_or(5, |seconds| seconds.parse().unwrap());
    let options = EtcdOptions::new(endpoints.split(','), "rate/").with_timeout(Duration::from_secs(30));
    let store: Arc<dyn Store> = Arc::new(Etcd::connect(options).await.unwrap());
    let stale = ReadLevel::Stale { max_age: Duration::from_secs(1) };
    let read = |level| Work::Read { keys: 1000, level };
    for (number, work) in
        [Work::PutUnique, Work::PutOver { keys: 1000 }, read(ReadLevel::Linearizable), read(stale)].into_iter().enumerate()
    {
        for clients in [1, 64, 256] {
            let load = Load::new(work).with_clients(clients).with_prefix(format!("{number}/{clients}/"));
            let load = load.with_warm_up(Duration::from_secs(1)).with_duration(Duration::from_secs(seconds));
            let spawn = |client| drop(tokio::spawn(client));
            println!("{}", load.run(Arc::clone(&store), Arc::new(SystemClock::new()), spawn).await.unwrap());
        }
    }
}
