use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{ReadHalf, WriteHalf},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
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
/// Once nothing was heard for so long, a request without an answer says that the way is gone, not that the other side is slow: TCP may try
/// it for minutes, where another connection works at once.
const DEAF: Duration = Duration::from_secs(1);
/// How long the system may take to take a frame.
pub(super) const SENDING: Duration = Duration::from_secs(10);

/// An open connection to another member, on which any number of requests are under way.
#[derive(Debug)]
pub(super) struct Connection {
    outgoing: mpsc::UnboundedSender<Frame>,
    waiting: Arc<Waiting>,
    heard: Arc<Heard>,
    /// Whether others are to be opened in its place; those who wait on it go on waiting.
    is_given_up: AtomicBool,
    next_id: AtomicU64,
    tasks: [JoinHandle<()>; 2],
}

/// When the other side was last heard, in milliseconds since the connection was opened.
#[derive(Debug)]
struct Heard {
    opened: Instant,
    last: AtomicU64,
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
        let heard = Arc::new(Heard { opened: Instant::now(), last: AtomicU64::new(0) });
        let (outgoing, queue) = mpsc::unbounded_channel();
        let tasks = [tokio::spawn(send(writer, queue)), tokio::spawn(receive(reader, Arc::clone(&waiting), Arc::clone(&heard)))];
        Ok(Self { outgoing, waiting, heard, is_given_up: AtomicBool::new(false), next_id: AtomicU64::new(1), tasks })
    }

    /// Whether it still works, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        !self.is_given_up.load(Relaxed) && self.tasks.iter().all(|task| !task.is_finished())
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
            Err(_) => {
                if self.heard.silence() >= DEAF {
                    self.is_given_up.store(true, Relaxed);
                }
                Err(NoReply::TimedOut(limit))
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Heard {
    fn now(&self) {
        self.last.store(self.opened.elapsed().as_millis() as u64, Relaxed);
    }

    fn silence(&self) -> Duration {
        self.opened.elapsed().saturating_sub(Duration::from_millis(self.last.load(Relaxed)))
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

async fn receive(mut reader: Reader, waiting: Arc<Waiting>, heard: Arc<Heard>) {
    let error = loop {
        let received = reader.receive(IDLE).await;
        heard.now();
        match received {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Token, accept};

    fn identity(node: u64) -> Identity {
        Identity { cluster: 7, node, token: Token::new(b"a token of these tests alone").unwrap() }
    }

    /// A connection, and the other side of it once hands were shaken.
    async fn connected() -> (Arc<Connection>, Reader, Writer) {
        let (near, far) = tokio::io::duplex(1 << 16);
        let (mut reader, mut writer) = split(Box::new(far));
        let (ours, theirs) = (identity(1), identity(2));
        let accepting = accept(&mut reader, &mut writer, &theirs, [2; 32], IDLE);
        let opening = Connection::open(Box::new(near), &ours, 2, [1; 32], IDLE);
        let (accepted, opened) = tokio::join!(accepting, opening);
        accepted.unwrap();
        (Arc::new(opened.unwrap()), reader, writer)
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_silent_is_given_up_and_who_waits_on_it_is_answered() {
        let (connection, mut reader, mut writer) = connected().await;
        let patient = Arc::clone(&connection);
        let waits = tokio::spawn(async move { patient.ask(&Ask::Elect, Duration::from_secs(50)).await });
        let asked = reader.receive(IDLE).await.unwrap();
        let short = Duration::from_millis(200);
        for _ in 0..3 {
            assert!(matches!(connection.ask(&Ask::Elect, short).await, Err(NoReply::TimedOut(_))));
            assert!(connection.is_open(), "it may be slow");
        }
        assert!(matches!(connection.ask(&Ask::Elect, DEAF).await, Err(NoReply::TimedOut(_))));
        assert!(!connection.is_open());
        writer.send(&frame(REPLY, asked.id, &Reply::Done), IDLE).await.unwrap();
        assert!(matches!(waits.await.unwrap(), Ok(Reply::Done)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_answers_others_is_kept() {
        let (connection, mut reader, mut writer) = connected().await;
        tokio::spawn(async move {
            for number in 0.. {
                let asked = reader.receive(IDLE).await.unwrap();
                if number % 2 == 0 {
                    writer.send(&frame(REPLY, asked.id, &Reply::Done), IDLE).await.unwrap();
                }
            }
        });
        for _ in 0..20 {
            connection.ask(&Ask::Elect, DEAF).await.unwrap();
            assert!(matches!(connection.ask(&Ask::Elect, DEAF / 2).await, Err(NoReply::TimedOut(_))));
            assert!(connection.is_open());
        }
    }
}
