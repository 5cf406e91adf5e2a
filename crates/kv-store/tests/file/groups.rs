use std::thread;

use jarre_kv_store::{
    Blocking, Embedded, EmbeddedOptions, Error, Store,
    testing::{Disk, Fault},
};

#[test]
fn what_comes_together_is_made_durable_together() {
    const WRITERS: u64 = 32;
    const EACH: u64 = 20;
    let folder = tempfile::tempdir().unwrap();
    let store = Blocking::new(Embedded::open(folder.path().join("store")).unwrap());
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = &store;
            scope.spawn(move || {
                for number in 0..EACH {
                    store.put(format!("{writer}/{number}").as_bytes(), b"x").unwrap();
                }
            });
        }
    });
    let metrics = store.store().metrics();
    assert_eq!((metrics.commands, metrics.refused), (WRITERS * EACH, 0));
    assert!(metrics.commits < WRITERS * EACH / 3 && metrics.largest_group > 4, "{metrics:?}");
    assert_eq!(store.store().verify().unwrap().keys, WRITERS * EACH);
}

#[test]
fn a_failed_sync_is_told_to_the_whole_group_and_stops_the_store() {
    let disk = Disk::new();
    let store = Embedded::open_on(disk.clone(), &EmbeddedOptions::new()).unwrap();
    let store = Blocking::new(store);
    store.put(b"before", b"1").unwrap();
    let (before, after) = {
        let before = disk.operations();
        store.put(b"another", b"1").unwrap();
        (before, disk.operations())
    };
    // The last operation of a commit is its sync.
    disk.fault_at(after - before - 1, Fault::Fail);
    let failed = store.put(b"lost?", b"1");
    assert!(matches!(failed, Err(Error::Unknown { .. })), "{failed:?}");
    let (read, written) = (store.get(b"before"), store.put(b"later", b"1"));
    assert!(matches!(read, Err(Error::Poisoned { .. })) && matches!(written, Err(Error::Poisoned { .. })), "{read:?}, {written:?}");
    let watch = pollster::block_on(store.store().watch(jarre_kv_store::WatchRequest::new(jarre_kv_store::KeyRange::all())));
    assert!(matches!(watch, Err(Error::Poisoned { .. })), "{watch:?}");
}
