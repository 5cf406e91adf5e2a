//! The state machine that every store of this crate runs: commands go in one after another, each changes rows and gives an answer. It has no
//! clock and no randomness, and what it reads is in the rows, so that replicas stay the same to the byte.
//!
//! Each revision writes one row for a key that it changes, [`record::Version`], beside the key's older versions, and one that says which key
//! it changed, [`record::Change`]. Reads at any revision find the newest version that is not younger; watches follow the changes.
//! Compaction removes versions that no read can ask for any more.

mod changes;
mod command;
mod compact;
#[cfg(feature = "etcd")]
mod import;
mod layout;
mod lease;
mod read;
mod record;
mod rows;
mod session;
mod txn;
mod verify;

pub(crate) use changes::{Changes, changes};
pub(crate) use command::{Answer, Command, Due, Response};
#[cfg(feature = "etcd")]
pub(crate) use import::Import;
pub(crate) use lease::{leased_keys, leases};
pub(crate) use read::{page, state};
pub(crate) use record::LeaseRecord;
#[cfg(feature = "embedded")]
pub(crate) use rows::Row;
pub(crate) use rows::{Rows, RowsMut};
pub(crate) use txn::read_only;
pub(crate) use verify::verify;

use crate::{Refusal, Result, Revision};
use record::{Change, State, Version};

/// Where the store is, if the row is the one that says so.
pub(crate) fn revision(row: &[u8], sealed: &[u8]) -> Result<Option<Revision>> {
    if row == layout::STATE_ROW { rows::decode::<State>(row, sealed).map(|state| Some(state.revision)) } else { Ok(None) }
}

/// Commands that are carried out together: the rows are to be committed after [`finish`](Self::finish), or not at all.
pub(crate) struct Batch<'a> {
    rows: &'a mut dyn RowsMut,
    state: State,
    /// Keys that the revision under way has changed.
    changed: u32,
}

impl<'a> Batch<'a> {
    pub(crate) fn begin(rows: &'a mut dyn RowsMut) -> Result<Self> {
        let state = read::state(rows)?;
        Ok(Self { rows, state, changed: 0 })
    }

    /// Carries out `command` as the one after the last.
    ///
    /// # Errors
    /// Where rows cannot be read or written, or are damaged. The batch must be dropped then, with all that it changed.
    pub(crate) fn apply(&mut self, command: &Command) -> Result<Answer> {
        self.state.applied = self.state.applied.saturating_add(1);
        if self.state.revision.0 >= u64::MAX - 1 || self.state.next_id == u64::MAX {
            return Ok(Err(Refusal::Exhausted));
        }
        match command {
            Command::Txn(txn) => self.txn(txn),
            Command::Grant { id, ttl_millis } => self.grant(*id, *ttl_millis),
            Command::Revoke(id) => self.revoke(*id),
            Command::Expire(due) => self.expire(&due.leases),
            Command::OpenSession => self.open_session(),
            Command::CloseSession(id) => self.close_session(*id),
            Command::Compact(revision) => self.compact(*revision),
            Command::Sweep => self.sweep().map(Ok),
        }
    }

    /// Writes down where the store is.
    pub(crate) fn finish(self) -> Result<Revision> {
        rows::store(self.rows, layout::STATE_ROW, &self.state)?;
        Ok(self.state.revision)
    }

    /// Makes the revision under way put `key`, or delete it.
    fn change(&mut self, key: &[u8], version: &Version) -> Result<()> {
        let revision = self.under_way();
        rows::store(self.rows, &layout::version(key, revision), version)?;
        rows::store(self.rows, &layout::change(revision, self.changed), &Change { key: key.to_vec() })?;
        self.changed += 1;
        Ok(())
    }

    /// The revision that changes are made at now.
    fn under_way(&self) -> Revision {
        self.state.revision.next()
    }

    /// Where the store is, with what the revision under way has changed so far.
    fn current(&self) -> Revision {
        if self.changed > 0 { self.under_way() } else { self.state.revision }
    }

    /// Ends the revision under way, where it has changed anything.
    fn seal(&mut self) {
        self.state.revision = self.current();
        self.changed = 0;
    }
}
