use std::{path::PathBuf, sync::Arc, time::Duration};

use openraft::Vote;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::Instant,
};

use super::{
    connection::{IDLE, send, split},
    consensus::{Snapshot, SnapshotMeta},
    entropy,
    replica::Replica,
    rpc::{ASK, Ask, Failure, REPLY, Reply, frame, message},
    snapshot::{SnapshotData, Spool},
    transport::{Listener, Stream},
};
use crate::{
    Error, Result,
    frame::{Frame, Identity, accept},
    snapshot,
};

/// How long each step of a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Connections at a time. A member of a large cluster needs three from each of the others.
const CONNECTIONS: usize = 256;
/// Requests of one connection that are served at a time; whoever sends more waits.
const UNDER_WAY: usize = 4096;
/// How long to wait after a connection could not be taken, for want of files as a rule.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves other members.
pub(super) struct Server {
    pub(super) replica: Arc<Replica>,
    pub(super) identity: Identity,
    pub(super) life: u64,
    /// The folder in which snapshots are kept while they come; in memory where there is none.
    pub(super) spool: Option<PathBuf>,
}

impl Server {
    /// Takes connections for as long as it is polled.
    pub(super) async fn run(self: Arc<Self>, mut listener: Box<dyn Listener>) {
        let mut open = JoinSet::new();
        let free = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            while open.try_join_next().is_some() {}
            let permit = Arc::clone(&free).acquire_owned().await.expect("the semaphore is never closed");
            match listener.accept().await {
                Ok(stream) => {
                    let server = Arc::clone(&self);
                    open.spawn(async move {
                        server.serve(stream).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn serve(self: Arc<Self>, stream: Box<dyn Stream>) {
        let (mut reader, mut writer) = split(stream);
        let caller = match accept(&mut reader, &mut writer, &self.identity, entropy::nonce(), HANDSHAKE).await {
            Ok(caller) => caller.node,
            Err(error) => return tracing::warn!(%error, "a connection was refused"),
        };
        let (outgoing, queue) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(send(writer, queue));
        let mut conversation = Conversation { server: &self, caller, met: false, snapshot: None };
        let under_way = Arc::new(Semaphore::new(UNDER_WAY));
        loop {
            let frame = match reader.receive(IDLE).await {
                Ok(frame) => frame,
                Err(error) => return tracing::debug!(caller, %error, "a connection ended"),
            };
            let Some(ask) = parse(&frame) else { return tracing::warn!(caller, "a request could not be read") };
            let permit = Arc::clone(&under_way).acquire_owned().await.expect("the semaphore is never closed");
            while tasks.try_join_next().is_some() {}
            match conversation.answer(ask).await {
                Step::Reply(reply) => drop(outgoing.send(self::frame(REPLY, frame.id, &reply))),
                Step::Later(ask) => {
                    let (server, outgoing) = (Arc::clone(&self), outgoing.clone());
                    tasks.spawn(async move {
                        let reply = server.reply(ask).await;
                        // The caller may have gone away.
                        let _ = outgoing.send(self::frame(REPLY, frame.id, &reply));
                        drop(permit);
                    });
                }
                Step::End => return,
            }
        }
    }

    /// Answers what does not depend on the connection.
    async fn reply(&self, ask: Ask) -> Reply {
        let Replica { raft, request_timeout, .. } = &*self.replica;
        match ask {
            Ask::Append(rpc) => Reply::Append(raft.append_entries(rpc).await),
            Ask::Vote(rpc) => Reply::Vote(raft.vote(rpc).await),
            Ask::Lead(ask) => match self.replica.here(ask, Instant::now() + *request_timeout).await {
                Ok(reply) => Reply::Led(reply),
                Err(failure) => Reply::Failed(failure),
            },
            Ask::Elect => match raft.trigger().elect().await {
                Ok(()) => Reply::Done,
                Err(error) => Reply::Failed(Failure::Unknown(error.to_string())),
            },
            Ask::Meet { .. } | Ask::SnapshotBegins { .. } | Ask::SnapshotPart(_) | Ask::SnapshotEnds => {
                Reply::Failed(Failure::Invalid("that comes in another order".to_owned()))
            }
        }
    }
}

/// What becomes of a request.
enum Step {
    Reply(Reply),
    /// It is answered by itself.
    Later(Ask),
    End,
}

/// What one connection is about.
struct Conversation<'a> {
    server: &'a Server,
    caller: u64,
    met: bool,
    snapshot: Option<Coming>,
}

/// A snapshot that comes.
struct Coming {
    vote: Vote<u64>,
    meta: SnapshotMeta,
    spool: Spool,
}

impl Conversation<'_> {
    async fn answer(&mut self, ask: Ask) -> Step {
        match ask {
            Ask::Meet { life } => self.meet(life).await,
            _ if !self.met => Step::End,
            Ask::SnapshotBegins { vote, meta } => Step::Reply(done(self.begin(vote, meta))),
            Ask::SnapshotPart(part) => Step::Reply(done(self.add(&part))),
            Ask::SnapshotEnds => Step::Reply(self.install().await),
            ask => Step::Later(ask),
        }
    }

    /// A member whose folder was lost has forgotten its votes and what it had on disk for a quorum; it is not let in as who it was.
    async fn meet(&mut self, life: u64) -> Step {
        let Replica { raft, .. } = &*self.server.replica;
        let members = self.server.replica.lives();
        let known = members.iter().find(|(id, _)| *id == self.caller).map(|(_, life)| *life);
        #[cfg(feature = "mutants")]
        let known = known.filter(|_| !crate::mutants::Mutant::WipedMemberLetIn.is_in());
        if known.is_some_and(|known| known != life) {
            tracing::error!(member = self.caller, "a member that lost its folder was turned away: remove it, and add it under another id");
            return Step::Reply(Reply::Failed(Failure::Invalid("this member lost its folder: add it under another id".to_owned())));
        }
        let Ok(is_founded) = raft.is_initialized().await else { return Step::End };
        self.met = true;
        Step::Reply(Reply::Met { life: self.server.life, is_founded, knows: members })
    }

    fn begin(&mut self, vote: Vote<u64>, meta: SnapshotMeta) -> Result<()> {
        // The one before is given up first, because it may have the same file.
        self.snapshot = None;
        // Two who both believe to lead may send at the same time.
        let name = format!("incoming-{}.snapshot", self.caller);
        let spool = Spool::new(self.server.spool.as_ref().map(|folder| folder.join(name)))?;
        self.snapshot = Some(Coming { vote, meta, spool });
        Ok(())
    }

    fn add(&mut self, part: &[u8]) -> Result<()> {
        let coming = self.snapshot.as_mut().ok_or(Error::Invalid("no snapshot was announced".into()))?;
        coming.spool.add(part)
    }

    async fn install(&mut self) -> Reply {
        let Some(Coming { vote, meta, mut spool }) = self.snapshot.take() else {
            return Reply::Failed(Failure::Invalid("no snapshot was announced".to_owned()));
        };
        // What is damaged is found before anything is replaced by it.
        let checked = spool.reader().and_then(|from| snapshot::read(from, |_, _| Ok(())));
        if let Err(error) = checked {
            return Reply::Failed(Failure::Invalid(error.to_string()));
        }
        let snapshot = Snapshot { meta, snapshot: Box::new(SnapshotData::Came(spool)) };
        Reply::Snapshot(self.server.replica.raft.install_full_snapshot(vote, snapshot).await)
    }
}

fn parse(frame: &Frame) -> Option<Ask> {
    (frame.kind == ASK).then(|| message(frame).ok()).flatten()
}

fn done(result: Result<()>) -> Reply {
    match result {
        Ok(()) => Reply::Done,
        Err(error) => Reply::Failed(Failure::Invalid(error.to_string())),
    }
}
