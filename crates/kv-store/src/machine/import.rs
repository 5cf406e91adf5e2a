use std::{collections::BTreeMap, time::Duration};

use super::{
    layout,
    record::{Change, LeaseRecord, State, Version},
    rows,
};
use crate::{Entry, Event, LeaseId, Result, Revision};

/// Rows of a store that was kept elsewhere: the state at the last revision that was compacted, then each change after it.
#[derive(Debug, Default)]
pub(crate) struct Import {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The keys that exist, with their leases.
    current: BTreeMap<Vec<u8>, Option<LeaseId>>,
}

impl Import {
    /// A key as it was at the last revision that was compacted.
    pub(crate) fn put(&mut self, entry: Entry) -> Result<()> {
        let Entry { key, value, create_revision, mod_revision, version, lease } = entry;
        let version = Version { created: create_revision, puts: version, lease, value: Some(value) };
        rows::store(&mut self.rows, &layout::version(&key, mod_revision), &version)?;
        self.current.insert(key, lease);
        Ok(())
    }

    /// All that a revision changed, in order.
    pub(crate) fn changes(&mut self, revision: Revision, events: Vec<Event>) -> Result<()> {
        for (number, event) in events.into_iter().enumerate() {
            let change = Change { key: event.key().to_vec() };
            rows::store(&mut self.rows, &layout::change(revision, number as u32), &change)?;
            match event {
                Event::Put { entry, .. } => self.put(entry)?,
                Event::Delete { key, .. } => {
                    rows::store(&mut self.rows, &layout::version(&key, revision), &Version::DELETED)?;
                    self.current.remove(&key);
                }
            }
        }
        Ok(())
    }

    /// The leases that keys end with.
    pub(crate) fn leases(&self) -> Vec<LeaseId> {
        let mut leases: Vec<LeaseId> = self.current.values().flatten().copied().collect();
        leases.sort();
        leases.dedup();
        leases
    }

    /// The rows of the store at `revision`, its leases with these TTLs.
    pub(crate) fn finish(
        mut self,
        revision: Revision,
        compacted: Revision,
        ttls: &BTreeMap<LeaseId, Duration>,
    ) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
        for (id, ttl) in ttls {
            let ttl_millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
            rows::store(&mut self.rows, &layout::lease(*id), &LeaseRecord { ttl_millis, granted: 0 })?;
        }
        for (key, lease) in &self.current {
            if let Some(lease) = lease {
                rows::store(&mut self.rows, &layout::lease_key(*lease, key), &())?;
            }
        }
        let (keys, leases) = (self.current.len() as u64, ttls.len() as u64);
        let state = State { revision, compacted, applied: revision.0, keys, leases, ..State::default() };
        rows::store(&mut self.rows, layout::STATE_ROW, &state)?;
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine;

    fn entry(key: &str, created: u64, modified: u64, version: u64, lease: Option<LeaseId>) -> Entry {
        let (create_revision, mod_revision) = (Revision(created), Revision(modified));
        Entry { key: key.into(), value: b"value".to_vec(), create_revision, mod_revision, version, lease }
    }

    #[test]
    fn what_is_imported_is_sound_and_nothing_less_is() {
        let lease = Some(LeaseId(9));
        let mut import = Import::default();
        import.put(entry("a", 2, 3, 2, None)).expect("a row");
        import.put(entry("b", 4, 4, 1, lease)).expect("a row");
        let put = Event::Put { entry: entry("a", 2, 7, 3, lease), prev: None };
        import.changes(Revision(7), vec![put, Event::Delete { key: b"b".to_vec(), prev: None }]).expect("rows");
        assert_eq!(import.leases(), [LeaseId(9)]);
        let ttls = BTreeMap::from([(LeaseId(9), Duration::from_secs(5))]);
        let rows = import.finish(Revision(8), Revision(5), &ttls).expect("rows");
        let verified = machine::verify(&rows).expect("they belong together");
        assert_eq!((verified.revision, verified.keys), (Revision(8), 1));
        assert_eq!(machine::leased_keys(&rows, LeaseId(9), 9).expect("rows"), Some(vec![b"a".to_vec()]));
        for gone in rows.keys().filter(|row| **row != layout::version(b"a", Revision(3)) && **row != layout::version(b"b", Revision(4))) {
            let mut less = rows.clone();
            less.remove(gone);
            assert!(machine::verify(&less).is_err(), "without row {}", gone.escape_ascii());
        }
    }
}
