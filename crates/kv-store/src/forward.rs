//! Stores that pass everything on: pointers to stores, and stores around a store.

use std::{io, sync::Arc, time::Duration};

use jarre_core::BoxFuture;

use crate::{
    Entry, KeyRange, Lease, LeaseId, Page, RangeRequest, Result, Revision, SessionId, SnapshotInfo, Status, Store, Txn, TxnOutcome, Watch,
    WatchRequest,
};

/// Implements `Store` by another store, every method, so that no override is lost: `forward_store!([generics] Type, |this| target)`.
macro_rules! forward_store {
    ([$($generics:tt)*] $type:ty, |$this:ident| $target:expr) => {
        forward_store!(@methods [$($generics)*] $type, $this, $target;
            range(request: RangeRequest) -> Page;
            txn(txn: Txn) -> TxnOutcome;
            lease_grant(ttl: Duration) -> LeaseId;
            lease_keep_alive(id: LeaseId) -> Duration;
            lease_revoke(id: LeaseId) -> ();
            lease(id: LeaseId) -> Lease;
            open_session() -> SessionId;
            close_session(id: SessionId) -> ();
            watch(request: WatchRequest) -> Watch;
            compact(revision: Revision) -> ();
            snapshot(to: Box<dyn io::Write + Send>) -> SnapshotInfo;
            status() -> Status;
            get(key: &[u8]) -> Option<Entry>;
            put(key: &[u8], value: &[u8]) -> Revision;
            delete(key: &[u8]) -> bool;
            delete_range(range: KeyRange) -> u64;
            compare_and_swap(key: &[u8], expected: Option<Revision>, value: &[u8]) -> Revision;
        );
    };
    (@methods [$($generics:tt)*] $type:ty, $this:ident, $target:expr; $($method:ident($($name:ident: $argument:ty),*) -> $output:ty;)*) => {
        impl<$($generics)*> Store for $type {
            $(forward_store!(@method $this, $target, $method($($name: $argument),*) -> $output);)*
        }
    };
    (@method $this:ident, $target:expr, $method:ident($($name:ident: $argument:ty),*) -> $output:ty) => {
        fn $method(&self $(, $name: $argument)*) -> BoxFuture<'_, Result<$output>> {
            let $this = self;
            $target.$method($($name),*)
        }
    };
}

pub(crate) use forward_store;

forward_store!([S: Store + ?Sized] &S, |this| (**this));
forward_store!([S: Store + ?Sized] Box<S>, |this| (**this));
forward_store!([S: Store + ?Sized] Arc<S>, |this| (**this));
