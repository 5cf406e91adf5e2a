use std::{
    fmt::{self, Debug},
    future::ready,
    io,
    marker::PhantomData,
    ops::{Bound, RangeBounds},
    sync::{Arc, mpsc},
};

use jarre_core::BoxFuture;
use openraft::{
    ErrorSubject, ErrorVerb, LogId, LogState, NodeId, OptionalSend, RaftLogId, RaftLogReader, RaftTypeConfig, StorageError, Vote,
    storage::{LogFlushed, RaftLogStorage},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::oneshot;

use super::{LogEntry, LogError, Mark, RaftLog, Result};

/// Payload bytes that one call for replication brings at most, whatever range it asks for.
const REPLICATION_BYTES: usize = 1 << 20;

/// A [`RaftLog`] as openraft's log storage, and as its reader; clones are handles of one log.
///
/// Votes, truncations and purges return when they are durable; appended entries can be read at once and are acknowledged when durable. The
/// commit mark is written with whatever comes next, so that it costs no sync of its own. Entries, votes and log ids are encoded by postcard.
///
/// Reads of entries that are no longer in memory block for as long as the system takes to bring them. After a failure of the disk every
/// call fails; openraft shuts the node down then, and the process should exit.
pub struct LogStore<C: RaftTypeConfig> {
    log: Arc<RaftLog>,
    observer: Arc<dyn Observer<C>>,
    config: PhantomData<fn() -> C>,
}

/// Follows what a log takes, and what of that is on disk.
pub(crate) trait Observer<C: RaftTypeConfig>: Send + Sync {
    /// `entries` are appended now. Whether openraft may be told that they are on disk before they are.
    fn appending(&self, _entries: &[C::Entry]) -> bool {
        false
    }

    /// Entries up to before `index` are on disk.
    fn reached(&self, _index: u64) {}

    /// The disk failed.
    fn failed(&self) {}

    /// Entries from `index` on are gone.
    fn cut(&self, _index: u64) {}

    /// Is ready when entries up to before `index` may be given up: what they made must be durable elsewhere. An error keeps them.
    fn purging(&self, _index: u64) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(ready(Ok(())))
    }

    /// `vote` is on disk.
    fn voted(&self, _vote: &Vote<C::NodeId>) {}
}

/// Nobody follows.
struct Nobody;

impl<C: RaftTypeConfig> Observer<C> for Nobody {}

impl<C: RaftTypeConfig> LogStore<C> {
    /// Takes a log that holds nothing but what another `LogStore` of this type wrote.
    pub fn new(log: RaftLog) -> Self {
        Self::observed(log, Arc::new(Nobody))
    }

    /// The same; `observer` follows it.
    pub(crate) fn observed(log: RaftLog, observer: Arc<dyn Observer<C>>) -> Self {
        Self { log: Arc::new(log), observer, config: PhantomData }
    }
}

impl<C: RaftTypeConfig> LogStore<C>
where
    C::Entry: Serialize + DeserializeOwned,
{
    fn read(&self, start: u64, end: u64, max_bytes: usize) -> io::Result<Vec<C::Entry>> {
        let entries = self.log.read(start..end, max_bytes).map_err(io::Error::other)?;
        entries.iter().map(|entry| decode(&entry.payload)).collect()
    }

    fn log_id(&self, index: u64) -> io::Result<Option<LogId<C::NodeId>>> {
        Ok(self.read(index, index + 1, usize::MAX)?.pop().map(|entry| entry.get_log_id().clone()))
    }

    /// The vote that it holds, and the index that the next entry has.
    pub(crate) fn ends(&self) -> io::Result<(Option<Vote<C::NodeId>>, u64)>
    where
        C::NodeId: DeserializeOwned,
    {
        let state = self.state()?;
        Ok((decode_mark(state.vote.as_ref())?, state.next))
    }

    /// The index of the last entry that is known to be committed. A crash may have taken the mark of it.
    pub(crate) fn committed(&self) -> Option<u64> {
        Some(self.log.state().ok()?.committed?.index)
    }

    /// Writes what is queued, where nobody else does.
    #[cfg(feature = "testing")]
    pub(crate) fn flush(&self) {
        self.log.flush();
    }

    /// Saves a vote, and waits until it is durable.
    pub(crate) fn save_vote_and_wait(&self, vote: &Vote<C::NodeId>) -> io::Result<()>
    where
        C::NodeId: Serialize,
    {
        let (done, outcome) = mpsc::channel();
        let mark = Mark::new(0, vote.leader_id().get_term(), &encode(vote)?);
        self.log.save_vote(mark, move |result| drop(done.send(result))).map_err(io::Error::other)?;
        self.log.flush();
        outcome.recv().unwrap_or(Err(LogError::Closed)).map_err(io::Error::other)
    }

    fn state(&self) -> io::Result<super::LogState> {
        self.log.state().map_err(io::Error::other)
    }
}

impl<C: RaftTypeConfig> Clone for LogStore<C> {
    fn clone(&self) -> Self {
        Self { log: Arc::clone(&self.log), observer: Arc::clone(&self.observer), config: PhantomData }
    }
}

impl<C: RaftTypeConfig> Debug for LogStore<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogStore").field("log", &self.log).finish_non_exhaustive()
    }
}

impl<C: RaftTypeConfig> RaftLogReader<C> for LogStore<C>
where
    C::Entry: Serialize + DeserializeOwned,
{
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: R,
    ) -> Result<Vec<C::Entry>, StorageError<C::NodeId>> {
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&last) => last.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => u64::MAX,
        };
        self.read(start, end, usize::MAX).map_err(failed(ErrorSubject::Logs, ErrorVerb::Read))
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<C::Entry>, StorageError<C::NodeId>> {
        self.read(start, end, REPLICATION_BYTES).map_err(failed(ErrorSubject::Logs, ErrorVerb::Read))
    }
}

impl<C: RaftTypeConfig> RaftLogStorage<C> for LogStore<C>
where
    C::Entry: Serialize + DeserializeOwned,
    C::NodeId: Serialize + DeserializeOwned,
{
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<C>, StorageError<C::NodeId>> {
        let look = || {
            let state = self.state()?;
            let last_purged_log_id = decode_mark(state.purged.as_ref())?;
            let last_log_id = match state.last_term {
                Some(_) => self.log_id(state.next - 1)?,
                None => last_purged_log_id.clone(),
            };
            Ok(LogState { last_purged_log_id, last_log_id })
        };
        look().map_err(failed(ErrorSubject::Logs, ErrorVerb::Read))
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote<C::NodeId>) -> Result<(), StorageError<C::NodeId>> {
        let save = async {
            let mark = Mark::new(0, vote.leader_id().get_term(), &encode(vote)?);
            durable(|done| self.log.save_vote(mark, done)).await
        };
        save.await.map_err(failed(ErrorSubject::Vote, ErrorVerb::Write))?;
        self.observer.voted(vote);
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote<C::NodeId>>, StorageError<C::NodeId>> {
        let vote = self.state().and_then(|state| decode_mark(state.vote.as_ref()));
        vote.map_err(failed(ErrorSubject::Vote, ErrorVerb::Read))
    }

    async fn save_committed(&mut self, committed: Option<LogId<C::NodeId>>) -> Result<(), StorageError<C::NodeId>> {
        // Without a mark nothing is known to be committed, which is what an older mark, or none, says safely too.
        let Some(committed) = committed else { return Ok(()) };
        let saved = mark::<C>(&committed).and_then(|mark| self.log.save_committed(mark).map_err(io::Error::other));
        saved.map_err(failed(ErrorSubject::Log(committed), ErrorVerb::Write))
    }

    async fn read_committed(&mut self) -> Result<Option<LogId<C::NodeId>>, StorageError<C::NodeId>> {
        let committed = self.state().and_then(|state| decode_mark(state.committed.as_ref()));
        committed.map_err(failed(ErrorSubject::Logs, ErrorVerb::Read))
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<C>) -> Result<(), StorageError<C::NodeId>>
    where
        I: IntoIterator<Item = C::Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<_> = entries.into_iter().collect();
        let runs_ahead = self.observer.appending(&entries);
        let (early, late) = if runs_ahead { (Some(callback), None) } else { (None, Some(callback)) };
        let (observer, behind) = (Arc::clone(&self.observer), entries.last().map_or(0, |last| last.get_log_id().index + 1));
        let done = move |result: Result<()>| {
            if result.is_ok() {
                observer.reached(behind);
            } else {
                observer.failed();
            }
            if let Some(callback) = late {
                callback.log_io_completed(result.map_err(io::Error::other));
            }
        };
        let encode = |entry: &C::Entry| {
            let id = entry.get_log_id();
            Ok(LogEntry::new(id.index, id.leader_id.get_term(), &encode(entry)?))
        };
        let encoded: io::Result<Vec<_>> = entries.iter().map(encode).collect();
        let appended = encoded.and_then(|entries| self.log.append(entries, done).map_err(io::Error::other));
        appended.map_err(failed(ErrorSubject::Logs, ErrorVerb::Write))?;
        if let Some(callback) = early {
            callback.log_io_completed(Ok(()));
        }
        Ok(())
    }

    async fn truncate(&mut self, log_id: LogId<C::NodeId>) -> Result<(), StorageError<C::NodeId>> {
        let index = log_id.index;
        let truncated = durable(|done| self.log.truncate(index, done)).await;
        // After what was appended before is on disk, and before anything is appended in its place.
        self.observer.cut(index);
        truncated.map_err(failed(ErrorSubject::Log(log_id), ErrorVerb::Delete))
    }

    async fn purge(&mut self, log_id: LogId<C::NodeId>) -> Result<(), StorageError<C::NodeId>> {
        let purge = async {
            self.observer.purging(log_id.index + 1).await?;
            let mark = mark::<C>(&log_id)?;
            durable(|done| self.log.purge(mark, done)).await
        };
        purge.await.map_err(failed(ErrorSubject::Log(log_id), ErrorVerb::Delete))
    }
}

type Done = Box<dyn FnOnce(Result<()>) + Send>;

/// Waits until what `submit` asks for is durable.
async fn durable(submit: impl FnOnce(Done) -> Result<()>) -> io::Result<()> {
    let (done, outcome) = oneshot::channel();
    submit(Box::new(move |result| drop(done.send(result)))).map_err(io::Error::other)?;
    outcome.await.unwrap_or(Err(LogError::Closed)).map_err(io::Error::other)
}

fn mark<C: RaftTypeConfig>(id: &LogId<C::NodeId>) -> io::Result<Mark>
where
    C::NodeId: Serialize,
{
    Ok(Mark::new(id.index, id.leader_id.get_term(), &encode(id)?))
}

fn decode_mark<T: DeserializeOwned>(mark: Option<&Mark>) -> io::Result<Option<T>> {
    mark.map(|mark| decode(&mark.payload)).transpose()
}

fn encode<T: Serialize>(value: &T) -> io::Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(io::Error::other)
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    postcard::from_bytes(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn failed<N: NodeId>(subject: ErrorSubject<N>, verb: ErrorVerb) -> impl FnOnce(io::Error) -> StorageError<N> {
    move |error| StorageError::from_io_error(subject, verb, error)
}
