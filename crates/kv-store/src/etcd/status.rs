use etcd_client::GetOptions;

use super::{caller::Caller, failure::Kind, keys};
use crate::{KeyRange, Refusal, Result, Revision, Status};

impl Caller {
    pub(super) async fn status(&self) -> Result<Status> {
        let (revision, keys) = self.count().await?;
        let member = self.call(Kind::Read, || {
            let mut maintenance = self.client.maintenance_client();
            async move { maintenance.status().await }
        });
        let member = member.await.map_err(|failure| failure.told(Kind::Read, Revision::ZERO))?;
        Ok(Status {
            kind: "etcd",
            revision,
            compacted: self.compacted().await?,
            applied: member.raft_applied_index(),
            keys,
            leases: self.leases().await?,
            bytes: u64::try_from(member.db_size()).ok(),
            leader: (member.leader() != 0).then(|| format!("{:x}", member.leader())),
        })
    }

    /// Where etcd is, and how many keys the store has.
    async fn count(&self) -> Result<(Revision, u64)> {
        let (sent, bounds) = (self.now(), self.keys.bounds(&KeyRange::all()));
        let (start, end) = bounds.expect("the range of all keys is not empty");
        let found = self.call(Kind::Read, || {
            let (mut reader, start, options) = (self.reader(), start.clone(), GetOptions::new().with_range(end.clone()).with_count_only());
            async move { reader.get(start, Some(options)).await }
        });
        let found = found.await.map_err(|failure| failure.told(Kind::Read, Revision::ZERO))?;
        let revision = keys::revision(found.header().map_or(0, etcd_client::ResponseHeader::revision));
        self.known.answered(sent, revision);
        Ok((revision, found.count().max(0).unsigned_abs()))
    }

    /// Compacts the whole cluster.
    pub(super) async fn compact(&self, revision: Revision) -> Result<()> {
        if revision == Revision::ZERO {
            return Err(Refusal::Compacted { at: self.compacted().await? }.into());
        }
        let compacted = self.call(Kind::Change, || {
            let mut kv = self.kv();
            async move { kv.compact(keys::number(revision), None).await }
        });
        match compacted.await {
            Ok(_) => {
                self.known.compacted_at(revision);
                Ok(())
            }
            Err(failure) => Err(self.explain(failure, Kind::Change).await),
        }
    }
}
