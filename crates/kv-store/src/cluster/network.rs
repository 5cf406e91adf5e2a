use std::{future::Future, sync::Arc, time::Duration};

use openraft::{
    OptionalSend, Vote,
    error::{Fatal, NetworkError, RPCError, RaftError, RemoteError, ReplicationClosed, StreamingError, Unreachable},
    network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory},
    raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse},
};

use super::{
    connection::{Connection, NoReply},
    consensus::{Address, Snapshot, Types},
    pace::Pace,
    peers::{Lane, Peers},
    rpc::{Ask, Reply},
    snapshot::SnapshotData,
};

/// How long openraft waits before it calls again somebody who could not be reached.
const BACKOFF: Duration = Duration::from_millis(200);

type Failed<E = openraft::error::Infallible> = RPCError<u64, Address, RaftError<u64, E>>;

/// Makes openraft's calls.
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) peers: Arc<Peers>,
    pub(super) pace: Arc<Pace>,
    /// Whether snapshots may be read by threads of their own.
    pub(super) threaded: bool,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Line;

    async fn new_client(&mut self, target: u64, node: &Address) -> Line {
        Line { network: self.clone(), target, at: node.clone() }
    }
}

/// One member, as openraft calls it.
#[derive(Debug)]
pub(super) struct Line {
    network: Network,
    target: u64,
    at: Address,
}

impl Line {
    async fn ask(&self, ask: Ask, option: &RPCOption) -> Result<Reply, NoReply> {
        self.network.peers.ask(Lane::Raft, self.target, &self.at, &ask, option.hard_ttl()).await
    }

    fn remote<E: std::error::Error>(&self, error: RaftError<u64, E>) -> Failed<E> {
        RPCError::RemoteError(RemoteError::new(self.target, error))
    }

    async fn send_snapshot(&self, vote: Vote<u64>, snapshot: Snapshot, limit: Duration) -> Result<SnapshotResponse<u64>, Streaming> {
        let SnapshotData::Here(frozen) = *snapshot.snapshot else {
            return Err(StreamingError::Network(NetworkError::new(&NoReply::Unreachable(
                "a snapshot that came is not sent on".to_owned(),
            ))));
        };
        let mut parts = frozen.parts(self.network.threaded).map_err(|error| StreamingError::Network(NetworkError::new(&error)))?;
        let connecting = self.network.peers.connection(Lane::Snapshots, self.target, &self.at, limit);
        let connected = tokio::time::timeout(limit, connecting).await.unwrap_or(Err(NoReply::TimedOut(limit)));
        let connection = connected.map_err(streaming)?;
        self.send(&connection, Ask::SnapshotBegins { vote, meta: snapshot.meta }, limit).await?;
        while let Some(part) = parts.recv().await {
            let part = part.map_err(|error| StreamingError::Network(NetworkError::new(&error)))?;
            self.send(&connection, Ask::SnapshotPart(part), limit).await?;
        }
        self.send(&connection, Ask::SnapshotEnds, limit).await?.ok_or_else(|| streaming(NoReply::Lost))
    }

    /// Sends a part of a snapshot; what comes back last is the answer to the whole.
    async fn send(&self, connection: &Connection, ask: Ask, limit: Duration) -> Result<Option<SnapshotResponse<u64>>, Streaming> {
        match connection.ask(&ask, limit).await.map_err(streaming)? {
            Reply::Done => Ok(None),
            Reply::Snapshot(Ok(response)) => Ok(Some(response)),
            Reply::Snapshot(Err(fatal)) => Err(StreamingError::RemoteError(RemoteError::new(self.target, fatal))),
            other => Err(streaming(strange(&other))),
        }
    }
}

type Streaming = StreamingError<Types, Fatal<u64>>;

impl RaftNetwork<Types> for Line {
    async fn append_entries(&mut self, rpc: AppendEntriesRequest<Types>, option: RPCOption) -> Result<AppendEntriesResponse<u64>, Failed> {
        if self.network.pace.is_silent() {
            return Err(failed(NoReply::Unreachable("this leader hears of no quorum, and lets another be elected".to_owned())));
        }
        let sent = rpc.entries.last().map(|last| last.log_id).or(rpc.prev_log_id);
        match self.ask(Ask::Append(rpc), &option).await.map_err(failed)? {
            Reply::Append(response) => {
                let response = response.map_err(|error| self.remote(error))?;
                let acknowledged = match &response {
                    AppendEntriesResponse::Success => sent,
                    AppendEntriesResponse::PartialSuccess(reached) => *reached,
                    AppendEntriesResponse::Conflict | AppendEntriesResponse::HigherVote(_) => None,
                };
                // openraft counts this member's disk already.
                self.network.pace.wait_for(acknowledged.map_or(0, |id| id.index + 1)).await;
                Ok(response)
            }
            other => Err(failed(strange(&other))),
        }
    }

    async fn vote(&mut self, rpc: VoteRequest<u64>, option: RPCOption) -> Result<VoteResponse<u64>, Failed> {
        match self.ask(Ask::Vote(rpc), &option).await.map_err(failed)? {
            Reply::Vote(response) => response.map_err(|error| self.remote(error)),
            other => Err(failed(strange(&other))),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote<u64>,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<u64>, Streaming> {
        tokio::select! {
            closed = cancel => Err(StreamingError::Closed(closed)),
            sent = self.send_snapshot(vote, snapshot, option.hard_ttl()) => sent,
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(BACKOFF))
    }
}

fn failed<E: std::error::Error>(error: NoReply) -> Failed<E> {
    match error {
        error @ NoReply::Unreachable(_) => RPCError::Unreachable(Unreachable::new(&error)),
        error => RPCError::Network(NetworkError::new(&error)),
    }
}

fn streaming(error: NoReply) -> Streaming {
    match error {
        error @ NoReply::Unreachable(_) => StreamingError::Unreachable(Unreachable::new(&error)),
        error => StreamingError::Network(NetworkError::new(&error)),
    }
}

/// An answer to something else than was asked.
fn strange(reply: &Reply) -> NoReply {
    NoReply::Unreachable(format!("it answered {reply:?}"))
}
