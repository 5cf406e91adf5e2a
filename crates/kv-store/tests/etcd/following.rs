//! Watches over a server that dies, and over a history that is compacted under them.

use std::{thread, time::Duration};

use jarre_kv_store::{Error, Event, KeyRange, Op, Refusal, Revision, Store, Txn, Watch, WatchBatch, WatchRequest};

use crate::cluster::Cluster;

fn next(watch: &mut Watch) -> Result<WatchBatch, Error> {
    pollster::block_on(watch.next()).expect("it goes on")
}

#[test]
fn a_watch_goes_on_over_a_restart_and_misses_nothing() {
    let mut cluster = Cluster::start(1);
    let store = cluster.store("p/");
    let mut watch = pollster::block_on(store.watch(WatchRequest::new(KeyRange::prefix("a/")))).unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        for number in 0..40 {
            if let Ok(revision) = pollster::block_on(store.put(format!("a/{round}/{number}").as_bytes(), b"value")) {
                acknowledged.push(revision);
            }
            pollster::block_on(store.put(b"b", b"noise")).ok();
        }
        cluster.kill(0);
        thread::sleep(Duration::from_millis(200));
        cluster.launch(0);
    }
    let end = pollster::block_on(store.put(b"a/end", b"value")).unwrap();
    let (mut told, mut before) = (Vec::new(), Revision::ZERO);
    while before < end {
        let batch = next(&mut watch).unwrap();
        assert!(batch.revision > before, "{} after {before}", batch.revision);
        assert!(matches!(&*batch.events, [Event::Put { entry, .. }] if entry.mod_revision == batch.revision), "{batch:?}");
        before = batch.revision;
        told.push(before);
    }
    assert!(
        acknowledged.len() > 100 && acknowledged.iter().all(|revision| told.contains(revision)),
        "{} of {}",
        told.len(),
        acknowledged.len()
    );
}

#[test]
fn progress_is_told_over_a_restart_too() {
    let mut cluster = Cluster::start(1);
    let store = cluster.store("p/");
    let mut watch = pollster::block_on(store.watch(WatchRequest::new(KeyRange::prefix("quiet/")))).unwrap();
    let noise = pollster::block_on(store.put(b"noise", b"1")).unwrap();
    cluster.kill(0);
    watch.request_progress();
    thread::sleep(Duration::from_millis(300));
    cluster.launch(0);
    let batch = next(&mut watch).unwrap();
    assert!(batch.events.is_empty() && batch.revision > noise, "{batch:?}");
    let put = pollster::block_on(store.put(b"quiet/a", b"1")).unwrap();
    assert_eq!(next(&mut watch).unwrap().revision, put, "no marker is told as a change");
    assert_eq!(pollster::block_on(store.get(b"noise")).unwrap().unwrap().version, 1);
    assert_eq!(pollster::block_on(store.status()).unwrap().keys, 2, "the marker is no key");
}

#[test]
fn progress_comes_after_every_change_before_it() {
    let cluster = Cluster::start(1);
    let store = cluster.store("p/");
    let first = pollster::block_on(store.put(b"a/0", b"value")).unwrap();
    for number in 1..300 {
        let both = Txn::new().then(Op::put(format!("a/{}", number % 7), "value")).then(Op::put("b", "noise"));
        pollster::block_on(store.txn(both)).unwrap();
    }
    // From the past, with no time to catch up before it is asked.
    let mut watch = pollster::block_on(store.watch(WatchRequest::new(KeyRange::prefix("a/")).from(first))).unwrap();
    watch.request_progress();
    let mut told = 0;
    let progress = loop {
        let batch = next(&mut watch).unwrap();
        if batch.events.is_empty() {
            break batch.revision;
        }
        assert_eq!(batch.revision.0, first.0 + told, "each once, in order");
        told += 1;
    };
    assert_eq!((told, progress.0), (300, first.0 + 300));
}

#[test]
fn a_watch_that_keeps_up_does_not_mind_compaction() {
    let cluster = Cluster::start(1);
    let store = cluster.store("p/");
    let mut watch = pollster::block_on(store.watch(WatchRequest::new(KeyRange::all()).with_prev())).unwrap();
    for number in 0..50_u64 {
        let revision = pollster::block_on(store.put(b"a", number.to_string().as_bytes())).unwrap();
        assert_eq!(next(&mut watch).unwrap().revision, revision);
        if number % 10 == 5 {
            pollster::block_on(store.compact(revision)).unwrap();
        }
    }
}

#[test]
fn a_watch_that_compaction_overtook_says_so_after_what_it_had() {
    let cluster = Cluster::start(1);
    let store = cluster.store("p/");
    let value = vec![b'x'; 200_000];
    let first = pollster::block_on(store.put(b"a", &value)).unwrap();
    let mut watch = pollster::block_on(store.watch(WatchRequest::new(KeyRange::all()).from(first))).unwrap();
    // More than the watch and the connection hold.
    let mut last = first;
    for _ in 0..400 {
        last = pollster::block_on(store.put(b"a", &value)).unwrap();
    }
    pollster::block_on(store.compact(last)).unwrap();
    let mut told = Vec::new();
    let error = loop {
        match next(&mut watch) {
            Ok(batch) => told.push(batch.revision),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Refused(Refusal::Compacted { at }) if at == last), "{error}");
    assert!(told.iter().enumerate().all(|(number, revision)| revision.0 == first.0 + number as u64), "until then nothing is left out");
    assert!(told.len() < 400, "it read {} of 401 ahead of its reader", told.len());
    assert!(pollster::block_on(watch.next()).is_none(), "it has ended");
}
