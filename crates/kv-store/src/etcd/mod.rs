//! A store over an etcd cluster.

mod caller;
mod failure;
mod follower;
mod keys;
mod known;
mod lease;
mod options;
mod range;
mod replay;
mod runtime;
mod session;
mod snapshot;
mod status;
mod tls;
mod txn;
mod watch;

use std::{fmt, io, sync::Arc, time::Duration};

use jarre_core::BoxFuture;

use self::{caller::Caller, runtime::Runtime};
use crate::{
    Lease, LeaseId, Page, RangeRequest, Result, Revision, SessionId, SnapshotInfo, Status, Store, Txn, TxnOutcome, Watch, WatchRequest,
};

pub use options::EtcdOptions;

/// A store in an etcd cluster (version 3.4 or later), under a prefix: for teams that already run one.
///
/// It keeps every promise of [`Store`], on a cluster that others use too:
///
/// - **Revisions** are the cluster's. Changes of others, and the records of sessions and watches' progress, make revisions as well.
///   [`compact`](Store::compact) compacts the whole cluster, and [`Status::leases`] counts its leases.
/// - **Errors.** A change whose answer was lost, or did not come within [`EtcdOptions::timeout`], is
///   [`Unknown`](crate::Error::Unknown). What was turned away before it began, or is a read, is tried again for as long, and then
///   [`NoQuorum`](crate::Error::NoQuorum).
/// - **Stale reads** are answered by any member, where what it has is known to be no older than asked for; otherwise they are linearizable.
///   There are no lease reads.
/// - **Leases** last whole seconds, rounded up, and at least as long as etcd's shortest (two seconds, as it is set up by default).
/// - **Watches** go on where they were after a connection broke, and are silent until then. They may be some changes ahead of their reader, who
///   gets those even when they are compacted meanwhile. [`Watch::request_progress`] writes the key that is the prefix alone.
/// - **Sessions** last as long as [`EtcdOptions::session_ttl`] after their last request. The answer to a repeated request is worked out from the
///   history; where that was compacted it is [`SessionExpired`](crate::Refusal::SessionExpired).
/// - **Snapshots** hold keys with the history that was not compacted, and the leases of those keys, but no sessions. Another store restores
///   them. They are gathered in memory.
///
/// Its futures need no runtime: a thread of its own drives the connections.
///
/// ```no_run
/// use jarre_kv_store::{Etcd, EtcdOptions, Store};
///
/// # pollster::block_on(async {
/// let store = Etcd::connect(EtcdOptions::new(["127.0.0.1:2379"], "records/")).await?;
/// store.put(b"run/1", b"started").await?;
/// # Ok::<(), jarre_kv_store::Error>(()) }).unwrap();
/// ```
pub struct Etcd {
    caller: Arc<Caller>,
    runtime: Runtime,
}

impl Etcd {
    /// Connects to a cluster, and makes sure that it answers.
    ///
    /// # Errors
    /// [`Invalid`](crate::Error::Invalid) where the options are not sound, [`NoQuorum`](crate::Error::NoQuorum) where the cluster does not
    /// answer in time, [`Io`](crate::Error::Io) where it turns the user away.
    pub async fn connect(options: EtcdOptions) -> Result<Self> {
        let runtime = Runtime::start()?;
        let caller = Arc::new(runtime.run(Caller::connect(options)).await?);
        Ok(Self { caller, runtime })
    }

    /// Runs what `work` makes of the caller on the thread that drives connections.
    fn run<T, F>(&self, work: impl FnOnce(Arc<Caller>) -> F + Send + 'static) -> BoxFuture<'_, Result<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let caller = Arc::clone(&self.caller);
        Box::pin(async move { self.runtime.run(work(caller)).await })
    }
}

impl Store for Etcd {
    fn range(&self, request: RangeRequest) -> BoxFuture<'_, Result<Page>> {
        self.run(|caller| async move { caller.range(request).await })
    }

    fn txn(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome>> {
        self.run(|caller| async move { caller.txn(txn).await })
    }

    fn put(&self, key: &[u8], value: &[u8]) -> BoxFuture<'_, Result<Revision>> {
        let (key, value) = (key.to_vec(), value.to_vec());
        self.run(|caller| async move { caller.put(key, value).await })
    }

    fn lease_grant(&self, ttl: Duration) -> BoxFuture<'_, Result<LeaseId>> {
        self.run(move |caller| async move { caller.lease_grant(ttl).await })
    }

    fn lease_keep_alive(&self, id: LeaseId) -> BoxFuture<'_, Result<Duration>> {
        self.run(move |caller| async move { caller.lease_keep_alive(id).await })
    }

    fn lease_revoke(&self, id: LeaseId) -> BoxFuture<'_, Result<()>> {
        self.run(move |caller| async move { caller.lease_revoke(id).await })
    }

    fn lease(&self, id: LeaseId) -> BoxFuture<'_, Result<Lease>> {
        self.run(move |caller| async move { caller.lease(id).await })
    }

    fn open_session(&self) -> BoxFuture<'_, Result<SessionId>> {
        self.run(|caller| async move { caller.open_session().await })
    }

    fn close_session(&self, id: SessionId) -> BoxFuture<'_, Result<()>> {
        self.run(move |caller| async move { caller.close_session(id).await })
    }

    fn watch(&self, request: WatchRequest) -> BoxFuture<'_, Result<Watch>> {
        self.run(|caller| caller.watch(request))
    }

    fn compact(&self, revision: Revision) -> BoxFuture<'_, Result<()>> {
        self.run(move |caller| async move { caller.compact(revision).await })
    }

    fn snapshot(&self, to: Box<dyn io::Write + Send>) -> BoxFuture<'_, Result<SnapshotInfo>> {
        self.run(|caller| caller.snapshot(to))
    }

    fn status(&self) -> BoxFuture<'_, Result<Status>> {
        self.run(|caller| async move { caller.status().await })
    }
}

impl fmt::Debug for Etcd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Etcd").field("options", &self.caller.options).finish_non_exhaustive()
    }
}
