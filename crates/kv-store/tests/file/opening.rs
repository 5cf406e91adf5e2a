use std::{
    fs,
    io::{BufRead, BufReader},
    sync::Arc,
    thread,
    time::Duration,
};

use jarre_core::{Clock, testing::ManualClock};
use jarre_kv_store::{Blocking, Embedded, EmbeddedOptions, Error, KeyRange, Op, Refusal, Store, Txn, WatchRequest};

use crate::process::{part_path, start};

#[test]
#[ignore = "a part of another test"]
fn hold_the_file() {
    let Some(path) = part_path() else { return };
    let _store = Embedded::open(path).unwrap();
    println!("holding");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn one_store_has_the_file_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let first = Embedded::open(&path).unwrap();
    assert!(matches!(Embedded::open(&path), Err(Error::InUse { path: named }) if named == path), "in this process");
    drop(first);
    let mut other = start("opening::hold_the_file", &path);
    let output = BufReader::new(other.stdout.as_mut().unwrap());
    assert!(output.lines().any(|line| line.unwrap().contains("holding")));
    assert!(matches!(Embedded::open(&path), Err(Error::InUse { .. })), "in another process");
    other.kill().unwrap();
    other.wait().unwrap();
    Embedded::open(&path).unwrap();
}

#[test]
fn many_may_make_the_file_and_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let opened: Vec<_> = thread::scope(|scope| {
        let opening: Vec<_> = (0..8).map(|_| scope.spawn(|| Embedded::open(&path))).collect();
        opening.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(opened.iter().filter(|store| store.is_ok()).count() <= 1);
    assert!(opened.iter().all(|store| matches!(store, Ok(_) | Err(Error::InUse { .. }))), "{opened:?}");
    drop(opened);
    Embedded::open(&path).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn what_is_no_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("empty", vec![]), ("text", b"dear diary".repeat(500)), ("zeros", vec![0; 100_000])] {
        let path = folder.path().join(name);
        fs::write(&path, &bytes).unwrap();
        assert!(matches!(Embedded::open(&path), Err(Error::Corrupt { .. })), "{name}: {:?}", Embedded::open(&path));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    let nowhere = Embedded::open(folder.path().join("no/such/folder"));
    assert!(matches!(nowhere, Err(Error::Io { .. })), "{nowhere:?}");
}

#[test]
fn leases_last_their_whole_time_again_after_opening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let (ttl, almost) = (Duration::from_secs(10), Duration::from_millis(9999));
    let open = |clock: &Arc<ManualClock>| {
        let options = EmbeddedOptions::new().with_clock(Arc::clone(clock) as Arc<dyn Clock>);
        Blocking::new(Embedded::open_with(&path, &options).unwrap())
    };
    let clock = Arc::new(ManualClock::new());
    let store = open(&clock);
    let lease = store.lease_grant(ttl).unwrap();
    store.txn(Txn::new().then(Op::put_with_lease("a", "1", lease))).unwrap();
    clock.advance(ttl / 2);
    drop(store);
    let store = open(&clock);
    clock.advance(almost);
    assert!(store.get(b"a").unwrap().is_some(), "when it was opened it had its whole time");
    clock.advance(Duration::from_millis(1));
    assert_eq!(store.get(b"a").unwrap(), None);
    assert_eq!(store.store().metrics().leases_expired, 1);
}

#[test]
fn leases_end_by_themselves_and_watches_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = Blocking::new(Embedded::open(folder.path().join("store")).unwrap());
    let lease = store.lease_grant(Duration::from_millis(30)).unwrap();
    store.txn(Txn::new().then(Op::put_with_lease("a", "1", lease))).unwrap();
    let mut watch = store.watch(WatchRequest::new(KeyRange::all())).unwrap();
    let batch = watch.next().unwrap().unwrap();
    assert_eq!(batch.events[0].key(), b"a", "nobody called the store in between");
    assert!(matches!(store.lease_keep_alive(lease), Err(Error::Refused(Refusal::NoLease { .. }))));
}

#[test]
fn a_watch_ends_when_the_store_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path().join("store")).unwrap();
    let mut watch = pollster::block_on(store.watch(WatchRequest::new(KeyRange::all()))).unwrap();
    let waiting = thread::spawn(move || pollster::block_on(watch.next()));
    thread::sleep(Duration::from_millis(20));
    drop(store);
    assert!(matches!(waiting.join().unwrap(), Some(Err(Error::Closed))));
}
