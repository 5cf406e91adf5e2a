use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use futures_channel::oneshot;
use redb::Database;

use super::{
    disk::{ROWS, Table, failed},
    wall::behind_a_wall,
};
use crate::{
    Error, Result,
    local::Shared,
    machine::{Answer, Batch, Command},
};

/// Commands that are made durable together at most.
const LARGEST_GROUP: usize = 1024;
/// How long to wait for those who wrote in the last group to write again, as a part of the time that a commit takes.
const GATHER: u32 = 4;
/// The longest wait for them.
const LONGEST_GATHER: Duration = Duration::from_micros(200);
/// The shortest sleep until a lease is due.
const NAP: Duration = Duration::from_millis(1);

/// A command, and who waits for its answer.
pub(super) struct Job {
    pub(super) command: Command,
    pub(super) reply: Option<oneshot::Sender<Result<Answer>>>,
}

/// The one that writes: takes what has come, carries it out, makes it durable with one sync, and only then answers.
pub(super) struct Writer {
    database: Arc<Database>,
    place: String,
    shared: Arc<Shared>,
    queue: Receiver<Job>,
    last_group: usize,
    last_commit: Duration,
}

impl Writer {
    pub(super) fn new(database: Arc<Database>, place: String, shared: Arc<Shared>, queue: Receiver<Job>) -> Self {
        Self { database, place, shared, queue, last_group: 0, last_commit: Duration::ZERO }
    }

    /// Works until nobody can ask any more.
    pub(super) fn run(mut self) {
        while let Some(group) = self.gather() {
            if !group.is_empty() {
                self.serve(group);
            }
        }
    }

    /// The next commands, and the end of leases that are due; `None` once there will be none.
    fn gather(&mut self) -> Option<Vec<Job>> {
        let first = match self.shared.until_due().filter(|_| self.shared.sound().is_ok()) {
            Some(wait) => match self.queue.recv_timeout(wait.max(NAP)) {
                Ok(job) => Some(job),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return None,
            },
            None => Some(self.queue.recv().ok()?),
        };
        let expire = self.shared.due().map(|due| Job { command: Command::Expire(due), reply: None });
        let mut group: Vec<Job> = expire.into_iter().chain(first).collect();
        group.extend(self.queue.try_iter().take(LARGEST_GROUP - group.len()));
        self.wait_for_others(&mut group);
        Some(group)
    }

    /// Those who were answered together write again at about the same time: a commit for the first of them alone would keep the rest waiting
    /// for a whole one more.
    fn wait_for_others(&self, group: &mut Vec<Job>) {
        let until = self.shared.now().saturating_add((self.last_commit / GATHER).min(LONGEST_GATHER));
        while group.len() < self.last_group.min(LARGEST_GROUP)
            && let Ok(job) = self.queue.recv_timeout(until.saturating_sub(self.shared.now()))
        {
            group.push(job);
        }
    }

    fn serve(&mut self, group: Vec<Job>) {
        let began = self.shared.now();
        let done = self
            .shared
            .sound()
            .and_then(|()| behind_a_wall(&self.place, || self.commit(&group)).inspect_err(|error| self.shared.poison(error)));
        (self.last_group, self.last_commit) = (group.len(), self.shared.now().saturating_sub(began));
        match done {
            Ok(answers) => {
                self.shared.counters.committed(group.len(), self.last_commit);
                self.shared.observe(group.iter().map(|job| &job.command).zip(&answers));
                self.shared.wakers.wake();
                answer(group, answers.into_iter().map(Ok));
            }
            Err(error) => answer(group, std::iter::repeat_with(|| Err(error.clone()))),
        }
    }

    /// Carries out a group and makes it durable, all or nothing.
    fn commit(&self, group: &[Job]) -> Result<Vec<Answer>> {
        let writing = self.database.begin_write().map_err(|error| failed(&self.place, error))?;
        let answers = {
            let table = writing.open_table(ROWS).map_err(|error| failed(&self.place, error))?;
            let mut rows = Table { table, place: &self.place };
            let mut batch = Batch::begin(&mut rows)?;
            let answers = group.iter().map(|job| batch.apply(&job.command)).collect::<Result<_>>()?;
            batch.finish()?;
            answers
        };
        writing.commit().map_err(|error| Error::Unknown { reason: failed(&self.place, error).to_string() })?;
        Ok(answers)
    }
}

fn answer(group: Vec<Job>, answers: impl Iterator<Item = Result<Answer>>) {
    for (job, answer) in group.into_iter().zip(answers) {
        if let Some(reply) = job.reply {
            // Who asked may have gone away; the command was carried out all the same.
            let _ = reply.send(answer);
        }
    }
}
