//! How many changes and reads a second three members carry out, in one process and on one disk. For people: nothing is asserted of time.
//!
//! `cargo test -p jarre-kv-store --all-features --test cluster -- --ignored --nocapture rate`

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_kv_store::{Cluster, Store};
use tokio::{task::JoinSet, time::Instant};

use crate::group::Group;

const LASTING: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures"]
async fn rate() {
    let group = Group::started(3).await;
    let leader = Arc::clone(group.at(group.leader().await));
    for reads in [false, true] {
        for clients in [1, 64, 256] {
            let mut times = measure(&leader, clients, reads).await;
            times.sort_unstable();
            let at = |part: usize| times[(times.len() - 1) * part / 100];
            let rate = times.len() as f64 / LASTING.as_secs_f64();
            let what = if reads { "linearizable reads" } else { "puts of 256 bytes" };
            println!("{clients:4} clients: {rate:8.0} {what} a second, p50 {:?}, p99 {:?}", at(50), at(99));
        }
    }
    println!("{} bytes of state each", leader.status().await.unwrap().bytes.unwrap());
    group.converge().await;
}

async fn measure(store: &Arc<Cluster>, clients: usize, reads: bool) -> Vec<Duration> {
    let times = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = JoinSet::new();
    for client in 0..clients {
        let (store, times) = (Arc::clone(store), Arc::clone(&times));
        tasks.spawn(async move {
            let end = Instant::now() + LASTING;
            for number in 0.. {
                let (key, began) = (format!("{client}/{}", number % 100), Instant::now());
                if began >= end {
                    return;
                }
                if reads {
                    store.get(key.as_bytes()).await.unwrap();
                } else {
                    store.put(key.as_bytes(), &[b'v'; 256]).await.unwrap();
                }
                times.lock().unwrap().push(began.elapsed());
            }
        });
    }
    tasks.join_all().await;
    Arc::into_inner(times).unwrap().into_inner().unwrap()
}
