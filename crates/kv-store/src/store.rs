use std::{io, time::Duration};

use jarre_core::BoxFuture;

use crate::{
    Compare, Entry, Error, KeyRange, Lease, LeaseId, Op, OpResult, Page, RangeRequest, Result, Revision, SessionId, SnapshotInfo, Status,
    Txn, TxnOutcome, Watch, WatchRequest,
};

/// Keys and values with a history, in the order of the keys' bytes.
///
/// What every store keeps:
///
/// - An acknowledged change survives what the store is made to survive, and no read returns a change that does not.
/// - Changes happen one after another. Each makes the next [`Revision`]; all that a transaction does happens at one.
/// - Reads are linearizable unless they ask for less.
/// - A change whose future is dropped, or that ends in [`Error::Unknown`], may be carried out, now or later. Every other error says that
///   nothing was changed.
/// - A lease ends no earlier than its TTL after it was granted or last kept alive; its keys go with it.
///
/// `testing::conformance` (feature `testing`) checks an implementation.
///
/// Futures need no particular runtime. Those of stores on this machine read while they are polled.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a store", note = "use `jarre_kv_store::Memory` or `jarre_kv_store::Embedded`")]
pub trait Store: Send + Sync {
    /// Reads a page of keys.
    ///
    /// # Errors
    /// [`Refused`](Error::Refused) where the revision was compacted or is not there yet, [`Unsupported`](Error::Unsupported) where the read
    /// level cannot be promised.
    fn range(&self, request: RangeRequest) -> BoxFuture<'_, Result<Page>>;

    /// Carries out a transaction.
    ///
    /// # Errors
    /// [`TooLarge`](Error::TooLarge) and [`Invalid`](Error::Invalid) where it is not sound, [`Refused`](Error::Refused) where a lease or the
    /// session is not there, [`Unknown`](Error::Unknown) where it may or may not have been carried out.
    fn txn(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome>>;

    /// A new lease that lasts `ttl`, in whole milliseconds rounded up, unless it is kept alive.
    ///
    /// # Errors
    /// [`Invalid`](Error::Invalid) for a TTL of zero.
    fn lease_grant(&self, ttl: Duration) -> BoxFuture<'_, Result<LeaseId>>;

    /// Lets the lease last its whole TTL from now, which is returned.
    ///
    /// # Errors
    /// [`Refused`](Error::Refused) where there is no such lease, or no more.
    fn lease_keep_alive(&self, id: LeaseId) -> BoxFuture<'_, Result<Duration>>;

    /// Ends a lease now; its keys are deleted at one revision.
    ///
    /// # Errors
    /// [`Refused`](Error::Refused) where there is no such lease, or no more.
    fn lease_revoke(&self, id: LeaseId) -> BoxFuture<'_, Result<()>>;

    /// The lease, with what is left of it and the keys that end with it.
    ///
    /// # Errors
    /// [`Refused`](Error::Refused) where there is no such lease, or no more.
    fn lease(&self, id: LeaseId) -> BoxFuture<'_, Result<Lease>>;

    /// A name for a client whose retries are carried out once; [`Session::open`](crate::Session::open) uses it.
    ///
    /// # Errors
    /// As every change.
    fn open_session(&self) -> BoxFuture<'_, Result<SessionId>>;

    /// Forgets a session and the answer kept for it.
    ///
    /// # Errors
    /// [`Refused`](Error::Refused) where it is not known.
    fn close_session(&self, id: SessionId) -> BoxFuture<'_, Result<()>>;

    /// Follows the changes of a range from a revision, or from now on. Changes come in order, each once, all of one revision together, and
    /// none is left out.
    ///
    /// # Errors
    /// [`Refused`](Error::Refused) where the changes from that revision on were compacted.
    fn watch(&self, request: WatchRequest) -> BoxFuture<'_, Result<Watch>>;

    /// Gives up the history up to `revision`: reads before it and watches from it are refused from now on. The state at it stays readable.
    ///
    /// # Errors
    /// [`Refused`](Error::Refused) where it was compacted already or is not there yet.
    fn compact(&self, revision: Revision) -> BoxFuture<'_, Result<()>>;

    /// Writes a consistent copy of the store, history, leases and sessions included, while others go on reading and writing.
    ///
    /// # Errors
    /// Where `to` cannot be written; what was written until then is no snapshot and will not be taken for one.
    fn snapshot(&self, to: Box<dyn io::Write + Send>) -> BoxFuture<'_, Result<SnapshotInfo>>;

    /// How the store is.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn status(&self) -> BoxFuture<'_, Result<Status>>;

    /// The entry at `key`.
    ///
    /// # Errors
    /// As [`range`](Self::range).
    fn get(&self, key: &[u8]) -> BoxFuture<'_, Result<Option<Entry>>> {
        let request = RangeRequest::new(KeyRange::key(key));
        Box::pin(async move { Ok(self.range(request).await?.entries.pop()) })
    }

    /// Writes `value` at `key`, for good. Returns the revision of the change.
    ///
    /// # Errors
    /// As [`txn`](Self::txn).
    fn put(&self, key: &[u8], value: &[u8]) -> BoxFuture<'_, Result<Revision>> {
        let txn = Txn::new().then(Op::put(key, value));
        Box::pin(async move { Ok(self.txn(txn).await?.revision) })
    }

    /// Deletes `key`. Returns whether it existed.
    ///
    /// # Errors
    /// As [`txn`](Self::txn).
    fn delete(&self, key: &[u8]) -> BoxFuture<'_, Result<bool>> {
        let deleted = self.delete_range(KeyRange::key(key));
        Box::pin(async move { Ok(deleted.await? > 0) })
    }

    /// Deletes the keys in `range` at one revision. Returns how many there were.
    ///
    /// # Errors
    /// As [`txn`](Self::txn).
    fn delete_range(&self, range: KeyRange) -> BoxFuture<'_, Result<u64>> {
        let txn = Txn::new().then(Op::delete_range(range));
        Box::pin(async move {
            let results = self.txn(txn).await?.results;
            Ok(results.iter().map(|result| if let OpResult::Delete { deleted, .. } = result { *deleted } else { 0 }).sum())
        })
    }

    /// Writes `value` at `key` where it was last modified at `expected`, or does not exist where that is `None`. Returns the revision of the
    /// change.
    ///
    /// # Errors
    /// [`Conflict`](Error::Conflict) where something else is there; otherwise as [`txn`](Self::txn).
    fn compare_and_swap(&self, key: &[u8], expected: Option<Revision>, value: &[u8]) -> BoxFuture<'_, Result<Revision>> {
        let compare = Compare::unchanged(key, expected.unwrap_or(Revision::ZERO));
        let txn = Txn::new().when(compare).then(Op::put(key, value)).otherwise(Op::get(key));
        Box::pin(async move {
            let outcome = self.txn(txn).await?;
            if outcome.succeeded {
                return Ok(outcome.revision);
            }
            let found = outcome.results.into_iter().find_map(|result| if let OpResult::Get(page) = result { Some(page) } else { None });
            Err(Error::Conflict { actual: found.and_then(|page| page.entries.first().map(|entry| entry.mod_revision)) })
        })
    }
}
