use std::{
    fs,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use futures_channel::oneshot;
use jarre_core::BoxFuture;
use redb::Database;

use super::{
    view::view,
    writer::{Job, Writer},
};
use crate::{
    Error, Result,
    local::{Engine, Shared},
    machine::{Answer, Command, Rows},
};

/// A file, and the thread that writes it.
pub(super) struct OneFile {
    database: Arc<Database>,
    place: String,
    path: Option<PathBuf>,
    shared: Arc<Shared>,
    /// `None` while it closes.
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl OneFile {
    pub(super) fn start(database: Database, place: String, path: Option<PathBuf>, shared: Arc<Shared>) -> Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let database = Arc::new(database);
        let writer = Writer::new(Arc::clone(&database), place.clone(), Arc::clone(&shared), queue);
        let thread = thread::Builder::new().name("kv-writer".to_owned()).spawn(move || writer.run());
        let writer = thread.map_err(|error| Error::io("start a thread", error))?;
        Ok(Self { database, place, path, shared, jobs: Some(jobs), writer: Some(writer) })
    }

    /// What the file is called in errors.
    pub(super) fn place(&self) -> &str {
        &self.place
    }
}

impl Engine for OneFile {
    const KIND: &'static str = "embedded";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn view(&self, look: &mut dyn FnMut(&dyn Rows) -> Result<()>) -> Result<()> {
        view(&self.database, &self.place, &self.shared, look)
    }

    fn submit(&self, command: Command) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(async move {
            self.shared.sound()?;
            let (reply, answer) = oneshot::channel();
            let jobs = self.jobs.as_ref().ok_or(Error::Closed)?;
            jobs.send(Job { command, reply: Some(reply) }).map_err(|_| Error::Closed)?;
            answer.await.unwrap_or_else(|_| Err(Error::Unknown { reason: "the thread that writes has ended".to_owned() }))
        })
    }

    fn bytes(&self) -> Option<u64> {
        fs::metadata(self.path.as_ref()?).ok().map(|file| file.len())
    }
}

impl Drop for OneFile {
    /// Waits for what was begun, so that the file is free afterwards.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // A panic there was told to those who waited for it.
            let _ = writer.join();
        }
        self.shared.wakers.wake();
    }
}
