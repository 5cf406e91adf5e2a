use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use super::caller::Caller;
use crate::{
    Error, KeyRange, LeaseId, Refusal, Result, Revision, SnapshotInfo, WatchBatch, WatchRequest,
    machine::{self, Import},
    snapshot,
};

/// How often a copy is begun anew because the history it was reading was compacted.
const ATTEMPTS: usize = 3;

impl Caller {
    /// Gathers a copy: the state at the last revision that was compacted, and every change from there to a marker that is written now. The
    /// state is held in memory.
    pub(super) async fn snapshot(self: Arc<Self>, to: Box<dyn io::Write + Send>) -> Result<SnapshotInfo> {
        let rows = self.copy().await?;
        let write = move || {
            machine::verify(&rows)?;
            snapshot::write(&rows, to)
        };
        tokio::task::spawn_blocking(write).await.map_err(|_| Error::Closed)?
    }

    async fn copy(self: &Arc<Self>) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        for _ in 1..ATTEMPTS {
            match self.copy_once().await {
                Err(Error::Refused(Refusal::Compacted { .. })) => {}
                copied => return copied,
            }
        }
        self.copy_once().await
    }

    async fn copy_once(self: &Arc<Self>) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        let compacted = self.compacted().await?;
        let mut import = Import::default();
        if compacted > Revision::ZERO {
            for entry in self.all(&KeyRange::all(), compacted).await? {
                import.put(entry)?;
            }
        }
        let mut watch = Arc::clone(self).watch(WatchRequest::new(KeyRange::all()).from(compacted.next())).await?;
        watch.request_progress();
        let revision = loop {
            let WatchBatch { revision, events } = watch.next().await.unwrap_or(Err(Error::Closed))?;
            if events.is_empty() {
                break revision;
            }
            import.changes(revision, events)?;
        };
        let leases = self.ttls(import.leases()).await?;
        import.finish(revision, compacted, &leases)
    }

    /// The TTLs of leases. One that has ended since its keys were read keeps them for no time.
    async fn ttls(&self, ids: Vec<LeaseId>) -> Result<BTreeMap<LeaseId, Duration>> {
        let mut ttls = BTreeMap::new();
        for id in ids {
            let ttl = match self.lease(id).await {
                Ok(lease) => lease.ttl,
                Err(Error::Refused(Refusal::NoLease { .. })) => Duration::from_millis(1),
                Err(error) => return Err(error),
            };
            ttls.insert(id, ttl);
        }
        Ok(ttls)
    }
}
