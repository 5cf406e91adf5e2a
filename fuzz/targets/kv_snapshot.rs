//! Snapshots of a store. Bytes as they come are refused or are a store; rows under checksums that match get as far as what they mean. A store
//! that comes out is sound, is the same from its own snapshot, and stays sound while it is used.
#![no_main]

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use jarre_core::testing::ManualClock;
use jarre_kv_store::{KeyRange, Limits, Memory, Op, RangeRequest, Result, Revision, Store, Txn, WatchRequest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(&sealed(&rows(bytes)));
});

fn check(bytes: &[u8]) {
    let Ok(store) = restore(bytes) else { return };
    let sound = store.verify().expect("what was restored is sound");
    let again = restore(&snapshot(&store)).expect("its own snapshot is sound");
    assert_eq!(again.verify().expect("it is sound"), sound);
    // Any of it may be refused.
    let _ = pollster::block_on(use_all(&store));
    store.verify().expect("a sound store stays sound");
}

fn restore(bytes: &[u8]) -> Result<Memory> {
    Memory::restore(bytes, Arc::new(ManualClock::new()), Limits::default())
}

async fn use_all(store: &Memory) -> Result<()> {
    let status = store.status().await?;
    for reverse in [false, true] {
        let mut next = Some(RangeRequest { reverse, ..RangeRequest::new(KeyRange::all()).with_limit(3) });
        while let Some(request) = next {
            next = store.range(request).await?.next;
        }
    }
    let mut watch = store.watch(WatchRequest::new(KeyRange::all()).from(status.compacted.next()).with_prev()).await?;
    watch.request_progress();
    while let Some(batch) = watch.next().await {
        if batch?.events.is_empty() {
            break;
        }
    }
    store.open_session().await?;
    let lease = store.lease_grant(Duration::from_secs(1)).await?;
    store.txn(Txn::new().then(Op::put_with_lease("a", "1", lease)).then(Op::put("b", "2").with_prev())).await?;
    store.lease_revoke(lease).await?;
    store.delete_range(KeyRange::from("a")).await?;
    store.compact(Revision(store.status().await?.revision.0)).await
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn snapshot(store: &Memory) -> Vec<u8> {
    let written = Written::default();
    pollster::block_on(store.snapshot(Box::new(written.clone()))).expect("memory takes all");
    let bytes = written.0.lock().expect("nobody panics").clone();
    bytes
}

/// The rows of something like a snapshot, whatever its checksums say; values without their own checksums.
fn rows(bytes: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let (mut rest, mut rows) = (bytes.get(16..).unwrap_or_default(), BTreeMap::new());
    let length = |rest: &mut &[u8]| Some(u32::from_le_bytes(*rest.split_off(..4)?.first_chunk()?) as usize);
    while let Some(block) = length(&mut rest).and_then(|length| rest.split_off(..4).and(rest.split_off(..length)))
        && !block.is_empty()
    {
        let mut block = block;
        while let (Some(key), Some(value)) = (length(&mut block), length(&mut block))
            && let (Some(key), Some(value)) = (block.split_off(..key), block.split_off(..value))
        {
            rows.insert(key.to_vec(), value[..value.len().saturating_sub(4)].to_vec());
        }
    }
    rows
}

/// The rows as a snapshot whose every checksum matches.
fn sealed(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let (mut block, mut digest) = (Vec::new(), blake3::Hasher::new());
    for (key, record) in rows {
        let sum = crc32c::crc32c(&[&**key, record].concat());
        let value = [&**record, &sum.to_le_bytes()].concat();
        for part in [key, &value] {
            block.extend((part.len() as u32).to_le_bytes());
            digest.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        block.extend(key);
        block.extend(value);
    }
    let mut bytes = b"jarre-kv\x01\0\0\0".to_vec();
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    for block in [&*block, &[]] {
        let length = (block.len() as u32).to_le_bytes();
        bytes.extend(length);
        bytes.extend(crc32c::crc32c(&[&length, block].concat()).to_le_bytes());
        bytes.extend(block);
        if block.is_empty() && rows.is_empty() {
            break;
        }
    }
    bytes.extend((rows.len() as u64).to_le_bytes());
    bytes.extend(digest.finalize().as_bytes());
    bytes
}
