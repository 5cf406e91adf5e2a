use std::{
    ops::Range,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use super::{
    Disk, DiskFile, LogEntry, LogError, LogState, Mark, Recovery, Result,
    contents::{Place, Slot},
    queue::Queue,
    record::{Kind, Op},
    recovery::{self, read_record},
    segment,
    window::Window,
};

const MAX_SEGMENT: u64 = 1 << 31;
/// Most entries come with their header in one read.
const SMALL_READ: u64 = 1 << 10;
const MAX_RECORD: u32 = 1 << 30;

/// Whose log it is, and its sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogConfig {
    /// The cluster; a log of another one is refused.
    pub cluster: u64,
    /// The node; a log of another one is refused.
    pub node: u64,
    /// Goes into checksums, so that no payload can be made to look like a record. Take a random number, another one at each start: each
    /// segment keeps the one that it was made with. Zero where nobody means harm.
    pub salt: u64,
    /// Bytes reserved for a segment: 64 MiB, at most 2 GiB. A batch that is larger gets a segment that holds it.
    pub segment_bytes: u64,
    /// The longest payload: 16 MiB, at most 1 GiB.
    pub max_record_bytes: u32,
    /// Payloads kept in memory, the latest ones: 16 MiB. What is not yet written is kept in any case.
    pub cache_bytes: usize,
    /// Where a batch ends though more is waiting: 4 MiB.
    pub batch_bytes: u64,
}

impl LogConfig {
    /// The sizes that the fields name, and no salt.
    pub fn new(cluster: u64, node: u64) -> Self {
        Self { cluster, node, salt: 0, segment_bytes: 64 << 20, max_record_bytes: 16 << 20, cache_bytes: 16 << 20, batch_bytes: 4 << 20 }
    }

    /// With another salt.
    pub fn with_salt(self, salt: u64) -> Self {
        Self { salt, ..self }
    }

    /// With other segments.
    pub fn with_segment_bytes(self, segment_bytes: u64) -> Self {
        Self { segment_bytes, ..self }
    }

    /// With another cache.
    pub fn with_cache_bytes(self, cache_bytes: usize) -> Self {
        Self { cache_bytes, ..self }
    }

    fn within_limits(self) -> Self {
        Self {
            segment_bytes: self.segment_bytes.min(MAX_SEGMENT),
            max_record_bytes: self.max_record_bytes.min(MAX_RECORD),
            batch_bytes: self.batch_bytes.min(MAX_SEGMENT / 2),
            ..self
        }
    }
}

/// A Raft log on a [`Disk`].
///
/// Each change is visible at once to [`state`](Self::state) and [`read`](Self::read), in the order of the calls, and durable, in the same
/// order, when its `done` is called. Callers share writes: whatever waits when the disk is ready goes into one write and one sync. The queue
/// has no bound; those who append bound what they have under way.
///
/// `done` runs on the thread that writes; it should be short. Dropping the log writes what is queued, and waits for that.
#[derive(Debug)]
pub struct RaftLog {
    queue: Arc<Queue>,
    max_record_bytes: u32,
    /// `None` where callers write.
    writer: Option<JoinHandle<()>>,
    /// Whether each call that waits writes what is queued.
    writes_at_once: bool,
}

impl RaftLog {
    /// Opens the log, or begins one on an empty disk, with a thread of its own that writes.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] where bytes are damaged that were durable once, [`LogError::Foreign`] for another node's log, [`LogError::Io`].
    pub fn open(disk: Arc<dyn Disk>, config: LogConfig) -> Result<(Self, Recovery)> {
        let (mut log, recovery) = Self::open_inline(disk, config)?;
        let queue = log.queue.clone();
        let writer = thread::Builder::new().name("raft-log".to_owned()).spawn(move || queue.serve());
        log.writer = Some(writer.map_err(LogError::io("start a thread for", "."))?);
        Ok((log, recovery))
    }

    /// Opens the log without a thread: each call that waits writes what is queued before it returns. For simulations, which must not
    /// depend on a scheduler; batches form only from entries of one call.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_inline(disk: Arc<dyn Disk>, config: LogConfig) -> Result<(Self, Recovery)> {
        let config = config.within_limits();
        let max_record_bytes = config.max_record_bytes;
        let recovery::Recovered { flusher, contents, files, recovery } = recovery::recover(disk, config)?;
        let queue = Arc::new(Queue::new(flusher, contents, files));
        Ok((Self { queue, max_record_bytes, writer: None, writes_at_once: true }, recovery))
    }

    /// Opens the log without a thread: what is queued is written when [`flush`](Self::flush) is called. For simulations of a slow disk.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_idle(disk: Arc<dyn Disk>, config: LogConfig) -> Result<(Self, Recovery)> {
        let (mut log, recovery) = Self::open_inline(disk, config)?;
        log.writes_at_once = false;
        Ok((log, recovery))
    }

    /// Writes what is queued and waited for.
    pub fn flush(&self) {
        while self.queue.flush() {}
    }

    /// What the log holds.
    ///
    /// # Errors
    /// [`LogError::Poisoned`].
    pub fn state(&self) -> Result<LogState> {
        Ok(self.queue.look()?.contents.state())
    }

    /// Appends entries, all or none. `done` is called when they are durable.
    ///
    /// # Errors
    /// [`LogError::Gap`] where an index does not follow, [`LogError::TooLarge`], [`LogError::Poisoned`], [`LogError::Closed`]; `done` is not
    /// called then. A log that never held anything may begin at any index.
    pub fn append(&self, entries: Vec<LogEntry>, done: impl FnOnce(Result<()>) + Send + 'static) -> Result<()> {
        let ops = entries.into_iter().map(|entry| self.op(Kind::Entry, entry.index, entry.term, entry.payload)).collect::<Result<_>>()?;
        #[cfg(feature = "mutants")]
        if crate::mutants::Mutant::AppendBeforeSync.is_in() {
            self.queue.submit(ops, None)?;
            done(Ok(()));
            return Ok(());
        }
        self.submit(ops, done)
    }

    /// Saves a vote; its `index` is not used.
    ///
    /// # Errors
    /// [`LogError::VoteReversal`] where its term is below the saved one's; else as [`append`](Self::append).
    pub fn save_vote(&self, vote: Mark, done: impl FnOnce(Result<()>) + Send + 'static) -> Result<()> {
        let ops = vec![self.op(Kind::Vote, vote.index, vote.term, vote.payload)?];
        #[cfg(feature = "mutants")]
        if crate::mutants::Mutant::VoteBeforeSync.is_in() {
            self.queue.submit(ops, None)?;
            done(Ok(()));
            return Ok(());
        }
        self.submit(ops, done)
    }

    /// Notes how far the log is committed. Nobody waits for that: it is written with what comes next, and a crash may lose it.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn save_committed(&self, mark: Mark) -> Result<()> {
        self.queue.submit(vec![self.op(Kind::Committed, mark.index, mark.term, mark.payload)?], None)
    }

    /// Drops the entries from `index` on.
    ///
    /// # Errors
    /// [`LogError::TruncatesPurged`]; else as [`append`](Self::append).
    pub fn truncate(&self, index: u64, done: impl FnOnce(Result<()>) + Send + 'static) -> Result<()> {
        self.submit(vec![self.op(Kind::Truncate, index, 0, Arc::default())?], done)
    }

    /// Drops the entries up to `mark`, which may lie beyond the last one (the next entry follows it then), and removes segments that hold
    /// nothing else.
    ///
    /// # Errors
    /// [`LogError::Gap`] where the log begins later than right after the mark; else as [`append`](Self::append).
    pub fn purge(&self, mark: Mark, done: impl FnOnce(Result<()>) + Send + 'static) -> Result<()> {
        self.submit(vec![self.op(Kind::Purge, mark.index, mark.term, mark.payload)?], done)
    }

    /// [`append`](Self::append), and waits.
    ///
    /// # Errors
    /// As `append`, and [`LogError::Io`] where the disk failed.
    pub fn append_and_wait(&self, entries: Vec<LogEntry>) -> Result<()> {
        let (done, outcome) = mpsc::channel();
        self.append(entries, move |result| drop(done.send(result)))?;
        outcome.recv().unwrap_or(Err(LogError::Closed))
    }

    /// The entries of `range` that are there, in order. Stops before an entry that would bring the payloads over `max_bytes`, but not before
    /// the first. A call copies what is in memory and reads the rest from the disk.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] where an entry on disk is no longer what was written, [`LogError::Io`], [`LogError::Poisoned`].
    pub fn read(&self, range: Range<u64>, max_bytes: usize) -> Result<Vec<LogEntry>> {
        let start = range.start.max(self.queue.look()?.contents.first());
        let (mut entries, mut bytes) = (Vec::new(), 0_usize);
        for index in start..range.end {
            let Some(entry) = self.entry(index)? else { break };
            bytes = bytes.saturating_add(entry.payload.len());
            if bytes > max_bytes && !entries.is_empty() {
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn entry(&self, index: u64) -> Result<Option<LogEntry>> {
        let shared = self.queue.look()?;
        let Some(Slot { term, place, payload, .. }) = shared.contents.slot(index).cloned() else { return Ok(None) };
        if let Some(payload) = payload {
            return Ok(Some(LogEntry { index, term, payload }));
        }
        let place = place.expect("an entry without a payload in memory is on disk");
        let file = shared.files[&place.sequence].clone();
        drop(shared);
        read_entry(file, place, index, term).map(Some)
    }

    fn op(&self, kind: Kind, index: u64, term: u64, payload: Arc<[u8]>) -> Result<Op> {
        if payload.len() > self.max_record_bytes as usize {
            return Err(LogError::TooLarge { len: payload.len(), max: self.max_record_bytes });
        }
        Ok(Op::new(kind, index, term, payload))
    }

    fn submit(&self, ops: Vec<Op>, done: impl FnOnce(Result<()>) + Send + 'static) -> Result<()> {
        self.queue.submit(ops, Some(Box::new(done)))?;
        if self.writer.is_none() && self.writes_at_once {
            self.flush();
        }
        Ok(())
    }
}

impl Drop for RaftLog {
    fn drop(&mut self) {
        self.queue.close();
        // The last handle may go in a `done`, on the writer itself.
        if let Some(writer) = self.writer.take().filter(|writer| writer.thread().id() != thread::current().id()) {
            writer.join().expect("the writer does not panic");
        }
    }
}

/// Reads an entry back and holds it to its checksums.
fn read_entry(file: Arc<dyn DiskFile>, place: Place, index: u64, term: u64) -> Result<LogEntry> {
    let name = segment::name(place.sequence);
    let failed = |source| LogError::io("read", &name)(source);
    let mut window = Window::new(file, SMALL_READ).map_err(failed)?;
    let record = read_record(&mut window, place.seed, place.offset).map_err(failed)?;
    match record {
        Some((_, op)) if (op.kind, op.index, op.term) == (Kind::Entry, index, term) => Ok(LogEntry { index, term, payload: op.payload }),
        _ => Err(LogError::corrupt(&name, place.offset, format!("entry {index} is no longer what was written"))),
    }
}
