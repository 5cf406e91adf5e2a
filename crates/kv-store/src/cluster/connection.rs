use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{ReadHalf, WriteHalf},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    rpc::{ASK, Ask, LONGEST, REPLY, Reply, frame, message},
    transport::Stream,
};
use crate::frame::{Frame, FrameReader, FrameWriter, Identity, connect};

pub(super) type Reader = FrameReader<ReadHalf<Box<dyn Stream>>>;
pub(super) type Writer = FrameWriter<WriteHalf<Box<dyn Stream>>>;

/// How long a connection may be silent: heartbeats go over those that matter far more often.
pub(super) const IDLE: Duration = Duration::from_mins(1);
/// How long the system may take to take a frame.
pub(super) const SENDING: Duration = Duration::from_secs(10);

/// An open connection to another member, on which any number of requests are under way.
#[derive(Debug)]
pub(super) struct Connection {
    outgoing: mpsc::UnboundedSender<Frame>,
    waiting: Arc<Waiting>,
    next_id: AtomicU64,
    tasks: [JoinHandle<()>; 2],
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoReply {
    /// The request was never sent.
    #[error("cannot reach it: {0}")]
    Unreachable(String),
    /// It may have been sent, and carried out.
    #[error("the connection was lost before an answer came")]
    Lost,
    /// As above.
    #[error("no answer came within {0:?}")]
    TimedOut(Duration),
}

/// Those who wait for answers, by their requests' ids; `None` once no answer can come.
#[derive(Debug)]
struct Waiting(Mutex<Option<HashMap<u64, oneshot::Sender<Reply>>>>);

pub(super) fn split(stream: Box<dyn Stream>) -> (Reader, Writer) {
    let (reader, writer) = tokio::io::split(stream);
    (FrameReader::new(reader, LONGEST), FrameWriter::new(writer, LONGEST))
}

impl Connection {
    /// Shakes hands over `stream` with member `to`, and begins to serve it.
    pub(super) async fn open(
        stream: Box<dyn Stream>,
        identity: &Identity,
        to: u64,
        nonce: [u8; 32],
        limit: Duration,
    ) -> Result<Self, NoReply> {
        let (mut reader, mut writer) = split(stream);
        let met = connect(&mut reader, &mut writer, identity, to, nonce, limit).await;
        met.map_err(|error| NoReply::Unreachable(error.to_string()))?;
        let waiting = Arc::new(Waiting(Mutex::new(Some(HashMap::new()))));
        let (outgoing, queue) = mpsc::unbounded_channel();
        let tasks = [tokio::spawn(send(writer, queue)), tokio::spawn(receive(reader, Arc::clone(&waiting)))];
        Ok(Self { outgoing, waiting, next_id: AtomicU64::new(1), tasks })
    }

    /// Whether it still works, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        self.tasks.iter().all(|task| !task.is_finished())
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&self, ask: &Ask, limit: Duration) -> Result<Reply, NoReply> {
        let id = self.next_id.fetch_add(1, Relaxed);
        let (sender, reply) = oneshot::channel();
        if !self.waiting.enter(id, sender) {
            return Err(NoReply::Unreachable("the connection is closed".to_owned()));
        }
        let _leaving = Leaving { waiting: &self.waiting, id };
        self.outgoing.send(frame(ASK, id, ask)).map_err(|_| NoReply::Unreachable("the connection is closed".to_owned()))?;
        match tokio::time::timeout(limit, reply).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) => Err(NoReply::Lost),
            Err(_) => Err(NoReply::TimedOut(limit)),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Waiting {
    fn enter(&self, id: u64, sender: oneshot::Sender<Reply>) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(|waiting| waiting.insert(id, sender)).is_some()
    }

    fn leave(&self, id: u64) -> Option<oneshot::Sender<Reply>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut()?.remove(&id)
    }

    fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Nobody waits any more for an answer whose asker went away.
struct Leaving<'a> {
    waiting: &'a Waiting,
    id: u64,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.waiting.leave(self.id);
    }
}

/// Sends what is queued until that fails.
pub(super) async fn send(mut writer: Writer, mut queue: mpsc::UnboundedReceiver<Frame>) {
    while let Some(frame) = queue.recv().await {
        if let Err(error) = writer.send(&frame, SENDING).await {
            tracing::debug!(%error, "a connection is given up");
            return;
        }
    }
}

async fn receive(mut reader: Reader, waiting: Arc<Waiting>) {
    let error = loop {
        match reader.receive(IDLE).await {
            Ok(frame) if frame.kind == REPLY => match (waiting.leave(frame.id), message(&frame)) {
                (Some(asker), Ok(reply)) => drop(asker.send(reply)),
                // It took too long for whoever asked.
                (None, _) => {}
                (_, Err(error)) => break error.to_string(),
            },
            Ok(frame) => break format!("a frame of kind {} is no answer", frame.kind),
            Err(error) => break error.to_string(),
        }
    };
    tracing::debug!(error, "a connection ended");
    waiting.close();
}
