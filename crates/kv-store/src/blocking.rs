use std::time::Duration;

use crate::{
    Entry, KeyRange, LeaseId, Page, RangeRequest, Result, Revision, Status, Store, Txn, TxnOutcome, Watch, WatchBatch, WatchRequest,
};

/// A store for code that is not async: each call blocks its thread until the answer is there. For [`Embedded`](crate::Embedded) and
/// [`Memory`](crate::Memory), which need no runtime.
///
/// ```
/// use jarre_kv_store::{Blocking, Memory};
///
/// let store = Blocking::new(Memory::new());
/// store.put(b"key", b"value")?;
/// assert_eq!(store.get(b"key")?.unwrap().value, b"value");
/// # Ok::<(), jarre_kv_store::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Blocking<S> {
    store: S,
}

/// Calls of [`Store`] that block.
macro_rules! blocking {
    ($($(#[$doc:meta])* $method:ident($($name:ident: $type:ty),*) -> $output:ty;)*) => {
        $($(#[$doc])*
        ///
        /// # Errors
        /// As the call of the same name of [`Store`].
        pub fn $method(&self $(, $name: $type)*) -> Result<$output> {
            pollster::block_on(self.store.$method($($name),*))
        })*
    };
}

impl<S: Store> Blocking<S> {
    /// The calls of `store`, made to block.
    pub const fn new(store: S) -> Self {
        Self { store }
    }

    /// The store.
    pub const fn store(&self) -> &S {
        &self.store
    }

    blocking! {
        /// The entry at `key`.
        get(key: &[u8]) -> Option<Entry>;
        /// Reads a page of keys.
        range(request: RangeRequest) -> Page;
        /// Writes `value` at `key`, for good.
        put(key: &[u8], value: &[u8]) -> Revision;
        /// Deletes `key`, and says whether it existed.
        delete(key: &[u8]) -> bool;
        /// Deletes the keys in `range`, and says how many there were.
        delete_range(range: KeyRange) -> u64;
        /// Writes `value` at `key` where it was last modified at `expected`.
        compare_and_swap(key: &[u8], expected: Option<Revision>, value: &[u8]) -> Revision;
        /// Carries out a transaction.
        txn(txn: Txn) -> TxnOutcome;
        /// A new lease.
        lease_grant(ttl: Duration) -> LeaseId;
        /// Lets the lease last its whole TTL from now.
        lease_keep_alive(id: LeaseId) -> Duration;
        /// Ends a lease now.
        lease_revoke(id: LeaseId) -> ();
        /// Gives up the history up to `revision`.
        compact(revision: Revision) -> ();
        /// How the store is.
        status() -> Status;
    }

    /// Follows changes; the batches come from an iterator that blocks.
    ///
    /// # Errors
    /// As [`Store::watch`].
    pub fn watch(&self, request: WatchRequest) -> Result<BlockingWatch> {
        Ok(BlockingWatch { watch: pollster::block_on(self.store.watch(request))? })
    }
}

/// Batches of changes, each waited for.
#[derive(Debug)]
pub struct BlockingWatch {
    watch: Watch,
}

impl Iterator for BlockingWatch {
    type Item = Result<WatchBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        pollster::block_on(self.watch.next())
    }
}
