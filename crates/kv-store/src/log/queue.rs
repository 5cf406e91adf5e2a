//! Between those who ask and the one who writes: what was asked is visible at once, and acknowledged when it is durable.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, mem,
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use super::{
    DiskFile, LogError, Result,
    contents::Contents,
    flusher::{Flusher, Written},
    record::{Kind, Op},
};

/// Called once with the outcome, on the thread that writes.
pub(super) type Done = Box<dyn FnOnce(Result<()>) + Send>;

pub(super) struct Queue {
    shared: Mutex<Shared>,
    wake: Condvar,
    /// Held while a batch is taken and written, so that batches are written in the order in which they were asked for.
    flusher: Mutex<Flusher>,
    batch_bytes: u64,
    cache_bytes: usize,
}

pub(super) struct Shared {
    pub contents: Contents,
    pub files: BTreeMap<u64, Arc<dyn DiskFile>>,
    pending: VecDeque<Pending>,
    next_serial: u64,
    /// Whether anything pending is waited for.
    is_urgent: bool,
    is_closed: bool,
    poison: Option<Arc<str>>,
}

struct Pending {
    op: Op,
    done: Option<Done>,
}

impl Queue {
    pub(super) fn new(flusher: Flusher, contents: Contents, files: BTreeMap<u64, Arc<dyn DiskFile>>) -> Self {
        let (batch_bytes, cache_bytes) = (flusher.config.batch_bytes, flusher.config.cache_bytes);
        let shared = Shared { contents, files, pending: VecDeque::new(), next_serial: 1, is_urgent: false, is_closed: false, poison: None };
        Self { shared: Mutex::new(shared), wake: Condvar::new(), flusher: Mutex::new(flusher), batch_bytes, cache_bytes }
    }

    /// What the log holds, what is not yet durable included.
    ///
    /// # Errors
    /// [`LogError::Poisoned`].
    pub(super) fn look(&self) -> Result<MutexGuard<'_, Shared>> {
        let shared = self.lock();
        match &shared.poison {
            Some(cause) => Err(LogError::Poisoned { cause: cause.clone() }),
            None => Ok(shared),
        }
    }

    /// Takes all of `ops` or none; `done` is called once the last of them is durable. Without a `done` nobody waits, and they are written
    /// with what comes next.
    pub(super) fn submit(&self, ops: Vec<Op>, done: Option<Done>) -> Result<()> {
        let mut shared = self.look()?;
        if shared.is_closed {
            return Err(LogError::Closed);
        }
        shared.check_all(&ops)?;
        shared.is_urgent |= done.is_some();
        for mut op in ops {
            op.serial = shared.next_serial;
            shared.next_serial += 1;
            shared.contents.apply(&op, None).expect("operations that follow one another were checked");
            shared.push(op);
        }
        match (shared.pending.back_mut(), done) {
            (Some(last), Some(done)) if last.done.is_none() => last.done = Some(done),
            (_, Some(done)) => {
                drop(shared);
                done(Ok(()));
                return Ok(());
            }
            _ => {}
        }
        drop(shared);
        self.wake.notify_one();
        Ok(())
    }

    /// Writes one batch. Returns whether anything that is waited for is left.
    pub(super) fn flush(&self) -> bool {
        let mut flusher = self.flusher.lock().expect("nobody panics while writing");
        let (ops, waiters) = self.lock().take_batch(self.batch_bytes);
        let result = if ops.is_empty() { Ok(Written::default()) } else { flusher.write(&ops) };
        drop(flusher);
        let (result, dropped) = self.lock().settle(&ops, result, self.cache_bytes);
        waiters.into_iter().chain(dropped).for_each(|done| done(result.clone()));
        self.lock().is_urgent
    }

    /// Writes whatever is waited for until the log is closed, and what is left then.
    pub(super) fn serve(&self) {
        loop {
            let shared = self.wake.wait_while(self.lock(), |shared| !shared.is_urgent && !shared.is_closed);
            let shared = shared.expect("nobody panics while holding the queue");
            let is_over = shared.is_closed && shared.pending.is_empty();
            drop(shared);
            if is_over {
                return;
            }
            self.flush();
        }
    }

    /// Nothing is taken from now on.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.wake.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("nobody panics while holding the queue")
    }
}

impl Shared {
    /// Entries that are given together must follow one another; the first must follow the log.
    fn check_all(&self, ops: &[Op]) -> Result<()> {
        let Some(first) = ops.first() else { return Ok(()) };
        self.contents.check_new(first)?;
        match ops.windows(2).find(|pair| pair[0].index + 1 != pair[1].index || pair[1].index == u64::MAX) {
            Some(pair) => Err(LogError::Gap { index: pair[1].index, expected: pair[0].index + 1 }),
            None => Ok(()),
        }
    }

    fn push(&mut self, op: Op) {
        match self.pending.back_mut() {
            // Of commit marks that nobody waits for, the last one says all.
            Some(last) if op.kind == Kind::Committed && last.op.kind == Kind::Committed && last.done.is_none() => last.op = op,
            _ => self.pending.push_back(Pending { op, done: None }),
        }
    }

    fn take_batch(&mut self, limit: u64) -> (Vec<Op>, Vec<Done>) {
        let (mut ops, mut waiters, mut bytes) = (Vec::new(), Vec::new(), 0);
        while let Some(next) = self.pending.pop_front_if(|next| bytes == 0 || bytes + next.op.size() <= limit) {
            bytes += next.op.size();
            ops.push(next.op);
            waiters.extend(next.done);
        }
        self.is_urgent = !self.pending.is_empty();
        (ops, waiters)
    }

    /// Notes what became of a batch; where it failed, those who wait for later ones are answered too.
    fn settle(&mut self, ops: &[Op], result: Result<Written>, cache_bytes: usize) -> (Result<()>, Vec<Done>) {
        match (result, &self.poison) {
            (_, Some(cause)) => (Err(LogError::Poisoned { cause: cause.clone() }), Vec::new()),
            (Ok(written), None) => {
                for (op, place) in ops.iter().zip(&written.places).filter(|(op, _)| op.kind == Kind::Entry) {
                    self.contents.place(op, *place);
                }
                self.files.extend(written.opened);
                self.files.retain(|sequence, _| !written.removed.contains(sequence));
                self.contents.shrink_cache(cache_bytes);
                (Ok(()), Vec::new())
            }
            (Err(error), None) => {
                self.poison = Some(error.to_string().into());
                self.is_urgent = false;
                let dropped = mem::take(&mut self.pending);
                (Err(error), dropped.into_iter().filter_map(|pending| pending.done).collect())
            }
        }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("batch_bytes", &self.batch_bytes).finish_non_exhaustive()
    }
}
