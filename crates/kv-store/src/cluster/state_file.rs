use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use openraft::{Entry, EntryPayload};
use redb::{Database, Durability, ReadTransaction, ReadableDatabase, TableDefinition, WriteTransaction};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::watch;

use super::consensus::{Answers, LogId, Membership, Types};
use crate::{
    Error, Result,
    embedded::{
        disk::{self, ROWS, Table, failed},
        view::view,
        wall::behind_a_wall,
    },
    local::Shared,
    machine::{Batch, Command, Due, Rows, RowsMut},
    snapshot,
};

/// What the member knows besides the rows.
const RAFT: TableDefinition<'static, &str, &[u8]> = TableDefinition::new(disk::RAFT);
const APPLIED: &str = "applied";
const MEMBERSHIP: &str = "membership";

/// Commands, and bytes of them, that a crash may make the log carry out again.
const UNSYNCED: Unsynced = Unsynced { commands: 100_000, bytes: 128 << 20 };

/// A member's state: the rows, the entry of the log that made them what they are, and the members as of then; all of it committed together.
///
/// Commits are not synced, because the log has what they hold; now and then one is, so that the log can be given up.
pub(super) struct StateFile {
    /// `None` once the member has stopped, so that another may open the file.
    database: RwLock<Option<Database>>,
    place: String,
    path: Option<PathBuf>,
    shared: Arc<Shared>,
    unsynced: Mutex<Unsynced>,
    /// The index behind the last entry that was carried out.
    applied: watch::Sender<u64>,
    /// The index behind the last entry whose doing is on disk.
    durable: watch::Sender<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Unsynced {
    commands: usize,
    bytes: usize,
}

impl StateFile {
    /// The state in a database that has the tables of a store.
    pub(super) fn new(database: Database, place: String, path: Option<PathBuf>, shared: Arc<Shared>) -> Result<Self> {
        let database = RwLock::new(Some(database));
        let file = Self {
            database,
            place,
            path,
            shared,
            unsynced: Mutex::default(),
            applied: watch::Sender::new(0),
            durable: watch::Sender::new(0),
        };
        let (applied, _) = file.applied_state()?;
        file.applied.send_replace(next(applied));
        file.durable.send_replace(next(applied));
        Ok(file)
    }

    pub(super) fn view(&self, look: &mut dyn FnMut(&dyn Rows) -> Result<()>) -> Result<()> {
        self.with(|database| view(database, &self.place, &self.shared, look))
    }

    /// The index behind the last entry that was carried out, and news of it.
    pub(super) fn applied(&self) -> watch::Receiver<u64> {
        self.applied.subscribe()
    }

    /// The index behind the last entry whose doing a crash cannot take, and news of it.
    pub(super) fn durable(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }

    pub(super) fn applied_state(&self) -> Result<(Option<LogId>, Membership)> {
        Ok((self.load(APPLIED)?, self.load(MEMBERSHIP)?.unwrap_or_default()))
    }

    /// Bytes of the file.
    pub(super) fn bytes(&self) -> Option<u64> {
        std::fs::metadata(self.path.as_ref()?).ok().map(|file| file.len())
    }

    /// Carries out entries, all or none, and answers each.
    pub(super) fn apply(&self, entries: &[Entry<Types>]) -> Result<Vec<Answers>> {
        let Some(last) = entries.last() else { return Ok(Vec::new()) };
        let answers = self.write(self.is_sync_due(entries), |writing| {
            let mut rows = Table { table: writing.open_table(ROWS).map_err(|error| self.failed(error))?, place: &self.place };
            let mut batch = Batch::begin(&mut rows)?;
            let answers = entries.iter().map(|entry| carry_out(&mut batch, entry)).collect::<Result<_>>()?;
            batch.finish()?;
            self.store(writing, APPLIED, &last.log_id)?;
            let changed = entries.iter().rev().find_map(|entry| match &entry.payload {
                EntryPayload::Membership(members) => Some(Membership::new(Some(entry.log_id), members.clone())),
                _ => None,
            });
            changed.map_or(Ok(()), |members| self.store(writing, MEMBERSHIP, &members))?;
            Ok(answers)
        })?;
        self.applied.send_replace(next(Some(last.log_id)));
        Ok(answers)
    }

    /// Replaces everything by what a snapshot holds, whole or not at all.
    pub(super) fn install(&self, applied: Option<LogId>, members: &Membership, from: impl std::io::Read) -> Result<()> {
        self.write(true, |writing| {
            writing.delete_table(ROWS).map_err(|error| self.failed(error))?;
            let mut rows = Table { table: writing.open_table(ROWS).map_err(|error| self.failed(error))?, place: &self.place };
            snapshot::read(from, |key, value| {
                #[cfg(feature = "mutants")]
                if crate::mutants::Mutant::SnapshotWithoutSessions.is_in() && matches!(key, [6 | 7, ..]) {
                    return Ok(());
                }
                rows.put(key, value)
            })?;
            drop(rows);
            self.store(writing, MEMBERSHIP, members)?;
            #[cfg(feature = "mutants")]
            if crate::mutants::Mutant::SnapshotWithoutApplied.is_in() {
                return Ok(());
            }
            applied.map_or(Ok(()), |applied| self.store(writing, APPLIED, &applied))
        })?;
        self.applied.send_replace(next(applied));
        self.durable.send_replace(next(applied));
        Ok(())
    }

    /// Makes durable what was carried out, and returns the state as it stays, with the entry that made it.
    pub(super) fn freeze(&self) -> Result<(Option<LogId>, Membership, Frozen)> {
        let reading = self.with(|database| database.begin_read().map_err(|error| self.failed(error)))?;
        // Whatever is read was committed before, and is durable with this.
        self.write(true, |_| Ok(()))?;
        let applied = self.load_from(&reading, APPLIED)?;
        let members = self.load_from(&reading, MEMBERSHIP)?.unwrap_or_default();
        self.durable.send_modify(|durable| *durable = (*durable).max(next(applied)));
        Ok((applied, members, Frozen { reading, place: self.place.clone() }))
    }

    /// What stands under `name`.
    pub(super) fn load<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        behind_a_wall(&self.place, || {
            let reading = self.with(|database| database.begin_read().map_err(|error| self.failed(error)))?;
            self.load_from(&reading, name)
        })
    }

    /// Writes `value` under `name`, durably.
    pub(super) fn save<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        self.write(true, |writing| self.store(writing, name, value))
    }

    /// Closes the file. What comes later fails.
    pub(super) fn close(&self) {
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T>) -> Result<T> {
        work(self.database.read().unwrap_or_else(PoisonError::into_inner).as_ref().ok_or(Error::Closed)?)
    }

    /// Does `work` in a transaction.
    fn write<T>(&self, synced: bool, work: impl FnOnce(&WriteTransaction) -> Result<T>) -> Result<T> {
        behind_a_wall(&self.place, || {
            let mut writing = self.with(|database| database.begin_write().map_err(|error| self.failed(error)))?;
            let durability = if synced { Durability::Immediate } else { Durability::None };
            writing.set_durability(durability).expect("no savepoint is used, and no other process writes");
            let done = work(&writing)?;
            writing.commit().map_err(|error| self.failed(error))?;
            Ok(done)
        })
    }

    /// Whether a commit of `entries` is to be synced.
    fn is_sync_due(&self, entries: &[Entry<Types>]) -> bool {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(PoisonError::into_inner);
        for command in entries.iter().flat_map(commands) {
            unsynced.commands += 1;
            unsynced.bytes += command.size();
        }
        let is_due = unsynced.commands >= UNSYNCED.commands || unsynced.bytes >= UNSYNCED.bytes;
        if is_due {
            *unsynced = Unsynced::default();
        }
        is_due
    }

    fn load_from<T: DeserializeOwned>(&self, reading: &ReadTransaction, name: &str) -> Result<Option<T>> {
        let table = match reading.open_table(RAFT) {
            Ok(table) => table,
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(error) => return Err(self.failed(error)),
        };
        let Some(bytes) = table.get(name).map_err(|error| self.failed(error))? else { return Ok(None) };
        let value = postcard::from_bytes(bytes.value());
        value.map(Some).map_err(|error| Error::corrupt(format!("{}, {name}", self.place), error.to_string()))
    }

    fn store<T: Serialize>(&self, writing: &WriteTransaction, name: &str, value: &T) -> Result<()> {
        let bytes = postcard::to_allocvec(value).expect("ids and addresses are plain data, which postcard can always write");
        let mut table = writing.open_table(RAFT).map_err(|error| self.failed(error))?;
        table.insert(name, &*bytes).map(drop).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: impl Into<redb::Error>) -> Error {
        failed(&self.place, error)
    }
}

/// The state as it was; what is done meanwhile does not change it.
pub(crate) struct Frozen {
    reading: ReadTransaction,
    place: String,
}

impl Frozen {
    /// Writes a snapshot of it.
    pub(super) fn write(&self, to: impl std::io::Write) -> Result<()> {
        behind_a_wall(&self.place, || {
            let table = self.reading.open_table(ROWS).map_err(|error| failed(&self.place, error))?;
            snapshot::write(&Table { table, place: &self.place }, to).map(drop)
        })
    }
}

/// The commands of an entry.
pub(super) fn commands(entry: &Entry<Types>) -> &[Command] {
    match &entry.payload {
        EntryPayload::Normal(proposal) => &proposal.commands,
        _ => &[],
    }
}

/// Whether a command does nothing in this entry: the end of leases by somebody who found it in an earlier term.
pub(super) fn is_void(command: &Command, log_id: &LogId) -> bool {
    matches!(command, Command::Expire(due) if due.kept_in != log_id.leader_id.term)
}

fn carry_out(batch: &mut Batch<'_>, entry: &Entry<Types>) -> Result<Answers> {
    let EntryPayload::Normal(proposal) = &entry.payload else { return Ok(Answers::default()) };
    let nothing = Command::Expire(Due::default());
    let effective = |command| if is_void(command, &entry.log_id) { &nothing } else { command };
    proposal.commands.iter().map(|command| batch.apply(effective(command))).collect::<Result<_>>().map(Answers)
}

/// The index behind an entry.
fn next(id: Option<LogId>) -> u64 {
    id.map_or(0, |id| id.index + 1)
}

#[cfg(test)]
mod tests {
    use openraft::{CommittedLeaderId, RaftLogId};

    use super::*;
    use crate::{Limits, cluster::consensus::Proposal, machine::Response, testing::Disk};
    use jarre_core::SystemClock;

    fn entry(term: u64, index: u64, command: Command) -> Entry<Types> {
        let proposal = Proposal { number: index, commands: vec![command] };
        let mut entry = Entry { log_id: LogId::default(), payload: EntryPayload::Normal(proposal) };
        entry.set_log_id(&LogId::new(CommittedLeaderId::new(term, 1), index));
        entry
    }

    fn empty() -> StateFile {
        let disk = Disk::new();
        crate::embedded::open::fill_if_empty(&disk).unwrap();
        let database = redb::Builder::new().create_with_backend(disk).unwrap();
        let shared = Shared::new(Arc::new(SystemClock::new()), Limits::default());
        StateFile::new(database, "the disk".to_owned(), None, Arc::new(shared)).unwrap()
    }

    #[test]
    fn an_end_that_was_found_in_an_earlier_term_ends_nothing() {
        let state = empty();
        let granted = state.apply(&[entry(2, 0, Command::Grant { id: None, ttl_millis: 1 })]).unwrap();
        let Ok(Response::Granted { id, granted }) = granted[0].0[0] else { panic!("{granted:?}") };
        let expire = |kept_in| Command::Expire(Due { leases: vec![(id, granted)], kept_in });
        let ended = |term, index, kept_in| state.apply(&[entry(term, index, expire(kept_in))]).unwrap()[0].0[0].clone();
        // Whoever led meanwhile may have kept it alive.
        assert_eq!(ended(3, 1, 2), Ok(Response::Expired(0)));
        assert_eq!(ended(4, 2, 3), Ok(Response::Expired(0)));
        assert_eq!(ended(4, 3, 4), Ok(Response::Expired(1)));
    }
}
