use super::{
    Batch,
    command::{Answer, Response},
    layout::{self, RowKey},
    read,
    record::LeaseRecord,
    rows::{self, Rows, damaged},
};
use crate::{LeaseId, Refusal, Result};

/// Keys that are read at a time where a lease ends.
const CHUNK: usize = 256;

/// Every lease that has not ended.
pub(crate) fn leases(rows: &dyn Rows) -> Result<Vec<(LeaseId, LeaseRecord)>> {
    let (from, to) = layout::LEASES;
    let scan = rows.scan(from, to, false)?;
    scan.map(|row| {
        let (row, sealed) = row?;
        let Some(RowKey::Lease(id)) = layout::parse(&row) else { return Err(damaged(&row, "its key is not that of a lease")) };
        Ok((id, rows::decode(&row, &sealed)?))
    })
    .collect()
}

/// The keys that end with a lease, so many of them at most; `None` where there is no such lease.
pub(crate) fn leased_keys(rows: &dyn Rows, id: LeaseId, limit: usize) -> Result<Option<Vec<Vec<u8>>>> {
    if rows::load::<LeaseRecord>(rows, &layout::lease(id))?.is_none() {
        return Ok(None);
    }
    let (from, to) = layout::lease_keys(id);
    let scan = rows.scan(&from, &to, false)?.take(limit);
    let keys = scan.map(|row| match layout::parse(&row?.0) {
        Some(RowKey::LeaseKey { key, .. }) => Ok(key),
        _ => Err(damaged(&from, "the keys of a lease are not to be read")),
    });
    Ok(Some(keys.collect::<Result<_>>()?))
}

impl Batch<'_> {
    pub(super) fn grant(&mut self, id: Option<LeaseId>, ttl_millis: u64) -> Result<Answer> {
        let id = match id {
            Some(id) if self.lease(id)?.is_some() => return Ok(Err(Refusal::LeaseExists { id })),
            Some(id) => id,
            None => self.free_lease()?,
        };
        let granted = self.state.applied;
        rows::store(self.rows, &layout::lease(id), &LeaseRecord { ttl_millis, granted })?;
        self.state.leases = self.state.leases.saturating_add(1);
        Ok(Ok(Response::Granted { id, granted }))
    }

    pub(super) fn revoke(&mut self, id: LeaseId) -> Result<Answer> {
        if self.lease(id)?.is_none() {
            return Ok(Err(Refusal::NoLease { id }));
        }
        self.end_lease(id)?;
        Ok(Ok(Response::Revoked))
    }

    pub(super) fn expire(&mut self, due: &[(LeaseId, u64)]) -> Result<Answer> {
        let mut ended = 0;
        for &(id, granted) in due {
            if self.lease(id)?.is_some_and(|lease| lease.granted == granted) {
                self.end_lease(id)?;
                ended += 1;
            }
        }
        Ok(Ok(Response::Expired(ended)))
    }

    /// Takes `key` off one lease and puts it on another.
    pub(super) fn move_lease(&mut self, key: &[u8], from: Option<LeaseId>, to: Option<LeaseId>) -> Result<()> {
        if from == to {
            return Ok(());
        }
        if let Some(from) = from {
            self.rows.remove(&layout::lease_key(from, key))?;
        }
        to.map_or(Ok(()), |to| rows::store(self.rows, &layout::lease_key(to, key), &()))
    }

    fn lease(&self, id: LeaseId) -> Result<Option<LeaseRecord>> {
        rows::load(self.rows, &layout::lease(id))
    }

    fn free_lease(&mut self) -> Result<LeaseId> {
        loop {
            let id = LeaseId(self.state.next_id);
            self.state.next_id = self.state.next_id.saturating_add(1);
            if self.lease(id)?.is_none() || self.state.next_id == u64::MAX {
                return Ok(id);
            }
        }
    }

    /// Ends a lease and deletes its keys, at one revision.
    fn end_lease(&mut self, id: LeaseId) -> Result<()> {
        loop {
            let keys = leased_keys(self.rows, id, CHUNK)?.unwrap_or_default();
            for key in &keys {
                let entry = read::entry(self.rows, key, self.current())?.filter(|entry| entry.lease == Some(id));
                self.delete_entry(&entry.ok_or_else(|| damaged(&layout::lease_key(id, key), "its key is not on the lease"))?)?;
            }
            if keys.len() < CHUNK {
                break;
            }
        }
        self.rows.remove(&layout::lease(id))?;
        self.state.leases = self.state.leases.saturating_sub(1);
        self.seal();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::machine::{Command, Due};

    fn carry_out(rows: &mut BTreeMap<Vec<u8>, Vec<u8>>, commands: &[Command]) -> Vec<Answer> {
        let mut batch = Batch::begin(rows).unwrap();
        let answers = commands.iter().map(|command| batch.apply(command).unwrap()).collect();
        batch.finish().unwrap();
        answers
    }

    #[test]
    fn a_late_end_does_not_end_another_lease_of_the_same_name() {
        let mut rows = BTreeMap::new();
        let id = LeaseId(7);
        let grant = Command::Grant { id: Some(id), ttl_millis: 1 };
        let expire = |granted| Command::Expire(Due { leases: vec![(id, granted)], kept_in: 0 });
        let commands = [grant.clone(), Command::Revoke(id), grant.clone(), grant, expire(1), expire(3)];
        let answers = carry_out(&mut rows, &commands);
        assert_eq!(answers[2], Ok(Response::Granted { id, granted: 3 }));
        assert_eq!(answers[3], Err(Refusal::LeaseExists { id }));
        assert_eq!(answers[4..], [Ok(Response::Expired(0)), Ok(Response::Expired(1))]);
        assert_eq!(leases(&rows).unwrap(), []);
    }
}
