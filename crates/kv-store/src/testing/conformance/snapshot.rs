use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::Context;
use crate::{Op, RangeRequest, Txn};

/// Bytes that are written by one and read by another.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) async fn restored(context: &Context<'_>) {
    let lease = context.store.lease_grant(Duration::from_secs(1000)).await.expect("a lease");
    let first = context.put("a", "1").await;
    context.put("a", "2").await;
    context.store.txn(Txn::new().then(Op::put_with_lease(context.key("b"), "3", lease))).await.expect("a put");
    let written = Shared::default();
    let info = context.store.snapshot(Box::new(written.clone())).await.expect("a snapshot is written");
    assert_eq!(info.revision, context.revision().await);
    let then = context.range(context.all().into()).await;
    context.put("a", "after the snapshot").await;

    let bytes = written.0.lock().expect("nobody panics").clone();
    let Some(restored) = context.subject.restore(bytes) else { return };
    let restored = restored.await;
    let read = async |request: RangeRequest| restored.range(request).await.expect("a range is read");
    assert_eq!(read(context.all().into()).await, then, "what was there, where the store was");
    assert_eq!(read(RangeRequest::new(context.all()).at(first)).await.entries[0].value, b"1", "with its history");
    assert_eq!(restored.put(b"a", b"on").await.expect("it goes on"), info.revision.next());
    restored.lease_revoke(lease).await.expect("leases are there");
    assert_eq!(restored.get(&context.key("b")).await.expect("it is read"), None, "with their keys");
    context.store.lease_revoke(lease).await.expect("the first store has its own");
}
