use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Mutex as AsyncMutex;

use super::{
    connection::{Connection, NoReply},
    consensus::Address,
    entropy,
    rpc::{Ask, Reply},
    transport::Transport,
};
use crate::frame::Identity;

/// What a connection is for: what must be quick does not stand in line behind what is long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// Heartbeats, entries and votes.
    Raft,
    /// Snapshots.
    Snapshots,
    /// What followers ask of the leader.
    Requests,
}

/// The other members, and connections to them, which are opened where they are needed.
pub(super) struct Peers {
    identity: Identity,
    life: u64,
    transport: Arc<dyn Transport>,
    lines: Mutex<HashMap<(u64, Lane), Arc<Line>>>,
}

/// What one lane to one member has open, and where that leads.
type Line = AsyncMutex<Option<(String, Arc<Connection>)>>;

/// What a member says of itself.
#[derive(Clone, Debug)]
pub(super) struct Met {
    pub(super) life: u64,
    pub(super) is_founded: bool,
    /// The members that it knows of, with their lives.
    pub(super) knows: Vec<(u64, u64)>,
}

impl Peers {
    pub(super) fn new(identity: Identity, life: u64, transport: Arc<dyn Transport>) -> Self {
        Self { identity, life, transport, lines: Mutex::default() }
    }

    /// Asks member `id`. What was not answered may have been done, unless it was [unreachable](NoReply::Unreachable).
    pub(super) async fn ask(&self, lane: Lane, id: u64, at: &Address, ask: &Ask, limit: Duration) -> Result<Reply, NoReply> {
        let connection = tokio::time::timeout(limit, self.connection(lane, id, at, limit)).await;
        let connection = connection.map_err(|_| NoReply::Unreachable(format!("no connection within {limit:?}")))??;
        connection.ask(ask, limit).await
    }

    /// An open connection to member `id`, whose life it is if that is known.
    pub(super) async fn connection(&self, lane: Lane, id: u64, at: &Address, limit: Duration) -> Result<Arc<Connection>, NoReply> {
        let opening = Arc::clone(self.lines.lock().unwrap_or_else(PoisonError::into_inner).entry((id, lane)).or_default());
        let mut open = opening.lock().await;
        if let Some((peer, connection)) = &*open
            && *peer == at.peer
            && connection.is_open()
        {
            return Ok(Arc::clone(connection));
        }
        let (connection, met) = self.open(id, &at.peer, limit).await?;
        #[cfg(feature = "mutants")]
        let met = if crate::mutants::Mutant::WipedMemberLetIn.is_in() { Met { life: at.life, ..met } } else { met };
        if met.life != at.life {
            return Err(NoReply::Unreachable(format!("member {id} lost its folder: remove it, and add it under another id")));
        }
        let connection = Arc::new(connection);
        *open = Some((at.peer.clone(), Arc::clone(&connection)));
        Ok(connection)
    }

    /// Meets member `id` at `peer`, whichever life of it.
    pub(super) async fn meet(&self, id: u64, peer: &str, limit: Duration) -> Result<Met, NoReply> {
        let opened = tokio::time::timeout(limit, self.open(id, peer, limit)).await;
        opened.map_err(|_| NoReply::Unreachable(format!("no connection within {limit:?}")))?.map(|(_, met)| met)
    }

    async fn open(&self, id: u64, peer: &str, limit: Duration) -> Result<(Connection, Met), NoReply> {
        let unreachable = |error: std::io::Error| NoReply::Unreachable(format!("{peer}: {error}"));
        let stream = self.transport.connect(peer).await.map_err(unreachable)?;
        let connection = Connection::open(stream, &self.identity, id, entropy::nonce(), limit).await?;
        match connection.ask(&Ask::Meet { life: self.life }, limit).await? {
            Reply::Met { life, is_founded, knows } => Ok((connection, Met { life, is_founded, knows })),
            other => Err(NoReply::Unreachable(format!("it did not introduce itself: {other:?}"))),
        }
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("identity", &self.identity).finish_non_exhaustive()
    }
}
