//! Damage to a file and to a snapshot: it is told, or what was there is read.

use std::{fs, io::Write, sync::Arc};

use jarre_core::testing::ManualClock;
use jarre_kv_store::{Blocking, Embedded, EmbeddedOptions, Error, KeyRange, Limits, Memory, Op, RangeRequest, Store, Txn, testing::Disk};

/// A store with a bit of everything, and where a snapshot of it goes.
fn filled(store: &dyn Store) {
    pollster::block_on(async {
        let lease = store.lease_grant(std::time::Duration::from_mins(1)).await.unwrap();
        store.open_session().await.unwrap();
        for number in 0..300 {
            store.put(format!("key/{}", number % 97).as_bytes(), &vec![number as u8; number % 61]).await.unwrap();
        }
        store.txn(Txn::new().then(Op::put_with_lease("leased", "1", lease))).await.unwrap();
        store.delete(b"key/5").await.unwrap();
        store.compact(jarre_kv_store::Revision(100)).await.unwrap();
    });
}

fn options() -> EmbeddedOptions {
    EmbeddedOptions::new().with_clock(Arc::new(ManualClock::new()))
}

fn entries(store: &Blocking<Embedded>) -> Result<Vec<jarre_kv_store::Entry>, Error> {
    store.range(RangeRequest::new(KeyRange::all())).map(|page| page.entries)
}

#[test]
fn a_flipped_bit_is_found_or_does_no_harm() {
    let disk = Disk::new();
    let store = Embedded::open_on(disk.clone(), &options()).unwrap();
    filled(&store);
    let digest = store.verify().unwrap().digest;
    let store = Blocking::new(store);
    let expected = entries(&store).unwrap();
    drop(store);
    let sound = disk.image();
    let mut found = 0;
    for at in (0..sound.len()).step_by(61) {
        let mut image = sound.clone();
        image[at] ^= 1 << (at % 8);
        match Embedded::open_on(Disk::holding(image.clone()), &options().verified()) {
            Ok(store) => assert_eq!(store.verify().unwrap().digest, digest, "byte {at}: damage was taken for sound"),
            Err(Error::Corrupt { .. } | Error::Format { .. } | Error::Io { .. }) => found += 1,
            Err(error) => panic!("byte {at}: {error}"),
        }
        // Without reading it all first, a page that is damaged inside can hide rows; reading it all finds that.
        let Ok(store) = Embedded::open_on(Disk::holding(image), &options()).map(Blocking::new) else { continue };
        match entries(&store) {
            Ok(read) => assert!(read == expected || store.store().verify().is_err(), "byte {at}: damage was read"),
            Err(Error::Corrupt { .. } | Error::Io { .. }) => {}
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert!(found > 100, "only {found} bits of {} mattered", sound.len() / 61);
}

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    filled(&Embedded::open(&path).unwrap());
    let sound = fs::read(&path).unwrap();
    for length in [1, 511, 4096, sound.len() / 2, sound.len() - 1] {
        fs::write(&path, &sound[..length]).unwrap();
        let opened = Embedded::open_with(&path, &options().verified());
        assert!(matches!(opened, Err(Error::Corrupt { .. } | Error::Io { .. })), "{length} bytes: {opened:?}");
    }
}

fn snapshot(store: &dyn Store) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    pollster::block_on(store.snapshot(Box::new(file.reopen().unwrap()))).unwrap();
    fs::read(file.path()).unwrap()
}

#[test]
fn a_snapshot_is_the_same_from_every_store_and_goes_into_every_store() {
    let clock = || Arc::new(ManualClock::new());
    let (memory, folder) = (Memory::with(clock(), Limits::default()), tempfile::tempdir().unwrap());
    let embedded = Embedded::open_with(folder.path().join("store"), &options()).unwrap();
    filled(&memory);
    filled(&embedded);
    let taken = snapshot(&memory);
    assert!(taken == snapshot(&embedded), "the same commands make the same state");
    let path = folder.path().join("restored");
    Embedded::restore(&path, &*taken).unwrap();
    let restored = Embedded::open(&path).unwrap();
    assert_eq!(restored.verify().unwrap(), memory.verify().unwrap());
    assert!(snapshot(&restored) == taken);
    let there = Embedded::restore(&path, &*taken);
    assert!(matches!(there, Err(Error::InUse { .. } | Error::Io { .. })), "what is there is not overwritten: {there:?}");
}

#[test]
fn a_damaged_snapshot_is_refused_and_leaves_nothing() {
    let memory = Memory::with(Arc::new(ManualClock::new()), Limits::default());
    filled(&memory);
    let sound = snapshot(&memory);
    let restore = |bytes: &[u8]| Memory::restore(bytes, Arc::new(ManualClock::new()), Limits::default());
    assert_eq!(restore(&sound).unwrap().verify().unwrap(), memory.verify().unwrap());
    for at in (0..sound.len()).step_by(7).chain(sound.len() - 60..sound.len()) {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x10;
        assert!(matches!(restore(&damaged), Err(Error::Corrupt { .. } | Error::Format { .. })), "byte {at}");
        assert!(matches!(restore(&sound[..at]), Err(Error::Corrupt { .. })), "{at} bytes");
    }
    let mut longer = sound.clone();
    longer.write_all(b"x").unwrap();
    assert!(matches!(restore(&longer), Err(Error::Corrupt { .. })));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    assert!(matches!(Embedded::restore(&path, &sound[..sound.len() - 1]), Err(Error::Corrupt { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
