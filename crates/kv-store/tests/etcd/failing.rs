//! A server that dies, and a cluster that has lost its majority.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use jarre_kv_store::{Error, Etcd, KeyRange, Op, RangeRequest, ReadLevel, Store, Txn};

use crate::cluster::Cluster;

/// What became of puts of `0`, `1`, ...: acknowledged, or unknown.
#[derive(Debug, Default)]
struct Written {
    acknowledged: Vec<u64>,
    unknown: Vec<u64>,
    refused: Vec<u64>,
}

fn key(writer: u64, number: u64) -> Vec<u8> {
    format!("{writer}/{number:06}").into_bytes()
}

fn write(store: &Etcd, writer: u64, stop: &AtomicBool) -> Written {
    let mut written = Written::default();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        match pollster::block_on(store.put(&key(writer, number), b"value")) {
            Ok(_) => written.acknowledged.push(number),
            Err(Error::Unknown { .. }) => written.unknown.push(number),
            Err(Error::NoQuorum) => written.refused.push(number),
            Err(error) => panic!("neither done, nor unknown, nor turned away: {error}"),
        }
    }
    written
}

/// What was acknowledged is there once, what was turned away is not there, what is unknown may be.
fn check(store: &Etcd, writer: u64, written: &Written) {
    let version = |number: &u64| pollster::block_on(store.get(&key(writer, *number))).unwrap().map(|entry| entry.version);
    for number in &written.acknowledged {
        assert_eq!(version(number), Some(1), "put {number} of writer {writer} was acknowledged");
    }
    for number in &written.refused {
        assert_eq!(version(number), None, "put {number} of writer {writer} was turned away");
    }
    for number in &written.unknown {
        assert!(version(number).is_none_or(|version| version == 1), "put {number} of writer {writer} was done twice");
    }
}

/// Writes from many threads while `disturb` does its worst.
fn under(store: &Etcd, disturb: impl FnOnce()) -> Vec<Written> {
    let stop = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                scope.spawn({
                    let stop = &stop;
                    move || write(store, writer, stop)
                })
            })
            .collect();
        disturb();
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    for (writer, written) in written.iter().enumerate() {
        check(store, writer as u64, written);
    }
    written
}

#[test]
fn a_server_that_is_killed_loses_nothing_that_was_acknowledged() {
    let mut cluster = Cluster::start(1);
    let store = cluster.store("p/");
    let written = under(&store, || {
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(400));
            cluster.kill(0);
            thread::sleep(Duration::from_millis(300));
            cluster.launch(0);
            // It answers again when this does.
            pollster::block_on(store.get(b"none")).unwrap();
        }
    });
    let count = |of: fn(&Written) -> &Vec<u64>| written.iter().map(|written| of(written).len()).sum::<usize>();
    let (acknowledged, unknown) = (count(|written| &written.acknowledged), count(|written| &written.unknown));
    assert!(acknowledged > 100, "{acknowledged} puts were acknowledged");
    assert!(unknown > 0, "a server was killed under {acknowledged} puts, and no answer was lost");
}

#[test]
fn a_cluster_goes_on_without_one_of_its_members() {
    let mut cluster = Cluster::start(3);
    drop(cluster.store("p/"));
    // etcd keeps what was under way when a leader went for seven seconds before it gives up. Writers do so earlier.
    let store = pollster::block_on(Etcd::connect(cluster.options("p/").with_timeout(Duration::from_secs(2)))).unwrap();
    let goes_on = |key: &str| (0..30).any(|_| pollster::block_on(store.put(key.as_bytes(), b"value")).is_ok());
    let written = under(&store, || {
        for number in [0, 1, 2] {
            cluster.kill(number);
            assert!(goes_on(&format!("without {number}")), "two of three are a majority");
            thread::sleep(Duration::from_millis(500));
            cluster.launch(number);
            thread::sleep(Duration::from_millis(2500));
            assert!(goes_on(&format!("with {number}")), "it is back");
        }
    });
    let acknowledged: usize = written.iter().map(|written| written.acknowledged.len()).sum();
    assert!(acknowledged > 300, "{acknowledged}");
}

#[test]
fn a_member_that_is_stopped_is_passed_by() {
    let cluster = Cluster::start(3);
    drop(cluster.store("p/"));
    let store = pollster::block_on(Etcd::connect(cluster.options("p/").with_timeout(Duration::from_secs(12)))).unwrap();
    for number in [0, 1, 2] {
        let revision = pollster::block_on(store.put(b"a", number.to_string().as_bytes())).unwrap();
        cluster.pause(number, true);
        for _ in 0..5 {
            let entry = pollster::block_on(store.get(b"a")).expect("two of three are a majority").unwrap();
            assert_eq!(entry.mod_revision, revision);
        }
        cluster.pause(number, false);
        thread::sleep(Duration::from_millis(2500));
    }
}

#[test]
fn without_a_majority_nothing_is_promised() {
    let mut cluster = Cluster::start(3);
    let first = cluster.store("p/");
    pollster::block_on(first.put(b"a", b"1")).unwrap();
    let options = cluster.options("p/").with_timeout(Duration::from_secs(3));
    let store = pollster::block_on(Etcd::connect(options)).unwrap();
    cluster.kill(0);
    cluster.kill(1);
    let change = pollster::block_on(store.put(b"a", b"2"));
    assert!(matches!(change, Err(Error::NoQuorum | Error::Unknown { .. })), "{change:?}");
    let read = pollster::block_on(store.get(b"a"));
    assert!(matches!(read, Err(Error::NoQuorum)), "{read:?}");
    let transaction = pollster::block_on(store.txn(Txn::new().then(Op::get("a"))));
    assert!(matches!(transaction, Err(Error::NoQuorum)), "a transaction that only reads is never unknown: {transaction:?}");

    let stale = |max_age| RangeRequest::new(KeyRange::key("a")).with_level(ReadLevel::Stale { max_age });
    let page = pollster::block_on(store.range(stale(Duration::from_mins(10)))).unwrap();
    assert_eq!(page.entries[0].version, 1, "what is left of the cluster answers as it was");
    let older = pollster::block_on(store.range(stale(Duration::from_millis(1))));
    assert!(matches!(older, Err(Error::NoQuorum)), "but not to those who want it younger: {older:?}");
    let late = pollster::block_on(Etcd::connect(cluster.options("p/").with_timeout(Duration::from_secs(2))));
    assert!(matches!(late, Err(Error::NoQuorum)), "{late:?}");
}

#[test]
fn options_that_cannot_be_meant_are_refused() {
    let connect = |endpoints: &[&str], prefix: &str| {
        pollster::block_on(Etcd::connect(jarre_kv_store::EtcdOptions::new(endpoints.iter().copied(), prefix)))
    };
    for (endpoints, prefix) in [(&["127.0.0.1:1"][..], ""), (&["127.0.0.1:1"], "\0"), (&[], "p"), (&["http://[::"], "p")] {
        let refused = connect(endpoints, prefix);
        assert!(matches!(refused, Err(Error::Invalid(_))), "{endpoints:?} {prefix:?}: {refused:?}");
    }
}
