use super::{
    layout::{self, RowKey},
    read,
    record::{Change, LeaseRecord, SessionRecord, State, Version},
    rows::{self, Rows, damaged},
};
use crate::{LeaseId, Result, Revision, SessionId, Verified};

/// Reads every row, and holds it to its checksum and to the rows that it belongs with.
pub(crate) fn verify(rows: &dyn Rows) -> Result<Verified> {
    let mut check = Check { rows, state: read::state(rows)?, leases: 0, sessions: 0, history: 0, changes: 0, found: Verified::default() };
    let mut digest = blake3::Hasher::new();
    for row in rows.scan(&[], &[0xff; 2], false)? {
        let (row, sealed) = row?;
        check.row(&row, &sealed)?;
        digest.update(&(row.len() as u64).to_le_bytes()).update(&row);
        digest.update(&(sealed.len() as u64).to_le_bytes()).update(&sealed);
    }
    if (check.found.keys, check.leases, check.sessions) != (check.state.keys, check.state.leases, check.state.sessions) {
        return Err(damaged(layout::STATE_ROW, "keys, leases or sessions are missing"));
    }
    if check.history != check.changes {
        return Err(damaged(layout::CHANGES, "changes of the history are missing"));
    }
    (check.found.revision, check.found.applied) = (check.state.revision, check.state.applied);
    check.found.digest = digest.finalize().into();
    Ok(check.found)
}

struct Check<'a> {
    rows: &'a dyn Rows,
    state: State,
    leases: u64,
    sessions: u64,
    /// Versions and changes of revisions that watches can ask for: one of each a key.
    history: u64,
    changes: u64,
    found: Verified,
}

impl Check<'_> {
    fn row(&mut self, row: &[u8], sealed: &[u8]) -> Result<()> {
        self.found.rows += 1;
        let sound = match layout::parse(row).ok_or_else(|| damaged(row, "no row has such a key"))? {
            RowKey::State => rows::decode::<State>(row, sealed).map(|state| state.compacted <= state.revision)?,
            RowKey::Version { key, revision } => self.version(&key, revision, &rows::decode(row, sealed)?)?,
            RowKey::Change { revision, .. } => self.change(revision, &rows::decode(row, sealed)?)?,
            RowKey::Lease(_) => {
                self.leases += 1;
                rows::decode::<LeaseRecord>(row, sealed)?.granted <= self.state.applied
            }
            RowKey::LeaseKey { lease, key } => {
                rows::decode::<()>(row, sealed)?;
                self.lease(lease)? && self.current(&key)?.is_some_and(|version| version.lease == Some(lease))
            }
            RowKey::Session(id) => {
                self.sessions += 1;
                let used = rows::decode::<SessionRecord>(row, sealed)?.used;
                let known = id.0 < self.state.next_id && used <= self.state.applied;
                known && rows::load::<SessionId>(self.rows, &layout::session_use(used))? == Some(id)
            }
            RowKey::SessionUse(index) => {
                let id: SessionId = rows::decode(row, sealed)?;
                rows::load::<SessionRecord>(self.rows, &layout::session(id))?.is_some_and(|session| session.used == index)
            }
        };
        if sound { Ok(()) } else { Err(damaged(row, "it contradicts the rows that it belongs with")) }
    }

    /// A version lies within the history; where it is a key's current one, its lease knows the key.
    fn version(&mut self, key: &[u8], revision: Revision, version: &Version) -> Result<bool> {
        let shape = if version.value.is_some() {
            version.puts > 0 && version.created > Revision::ZERO && version.created <= revision
        } else {
            *version == Version::DELETED
        };
        if !shape || revision > self.state.revision || key.is_empty() {
            return Ok(false);
        }
        self.history += u64::from(revision > self.state.compacted);
        let is_current = read::find(self.rows, key, self.state.revision)?.is_some_and(|(current, _)| current == revision);
        if is_current && version.value.is_some() {
            self.found.keys += 1;
            if let Some(lease) = version.lease {
                return Ok(rows::load::<()>(self.rows, &layout::lease_key(lease, key))?.is_some());
            }
        }
        Ok(true)
    }

    /// A change that watches can ask for has the version that it made.
    fn change(&mut self, revision: Revision, change: &Change) -> Result<bool> {
        self.changes += u64::from(revision > self.state.compacted);
        let made = || rows::load::<Version>(self.rows, &layout::version(&change.key, revision));
        Ok(revision <= self.state.revision && (revision <= self.state.compacted || made()?.is_some()))
    }

    fn lease(&self, id: LeaseId) -> Result<bool> {
        Ok(rows::load::<LeaseRecord>(self.rows, &layout::lease(id))?.is_some())
    }

    fn current(&self, key: &[u8]) -> Result<Option<Version>> {
        Ok(read::find(self.rows, key, self.state.revision)?.map(|(_, version)| version))
    }
}
