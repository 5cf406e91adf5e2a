use openraft::error::CheckIsLeaderError;
use tokio::sync::{mpsc, oneshot};

use super::{consensus::Raft, rpc::Failure};

/// Asks a quorum whether this member still leads, once for all who want to read (`ReadIndex`; Ongaro, section 6.4).
#[derive(Debug)]
pub(super) struct Reads {
    queue: mpsc::UnboundedSender<oneshot::Sender<Result<u64, Failure>>>,
}

impl Reads {
    /// It, and what it does as long as it is polled.
    pub(super) fn new(raft: Raft) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, readers) = mpsc::unbounded_channel();
        (Self { queue }, confirm(raft, readers))
    }

    /// The index behind the last entry that a state must have carried out to be read, if this member leads now.
    pub(super) async fn index(&self) -> Result<u64, Failure> {
        let (reply, index) = oneshot::channel();
        self.queue.send(reply).map_err(|_| Failure::NotLeader)?;
        index.await.unwrap_or(Err(Failure::NotLeader))
    }
}

async fn confirm(raft: Raft, mut readers: mpsc::UnboundedReceiver<oneshot::Sender<Result<u64, Failure>>>) {
    while let Some(first) = readers.recv().await {
        // Those who come while the quorum is asked are not among them: they might see an older state than was acknowledged before they came.
        let mut served = vec![first];
        while let Ok(next) = readers.try_recv() {
            served.push(next);
        }
        let index = match raft.get_read_log_id().await {
            Ok((id, _)) => Ok(id.map_or(0, |id| id.index + 1)),
            Err(error) => Err(match error.into_api_error() {
                Some(CheckIsLeaderError::QuorumNotEnough(_)) => Failure::NoQuorum,
                _ => Failure::NotLeader,
            }),
        };
        #[cfg(feature = "mutants")]
        while crate::mutants::Mutant::ReadIndexForLateReaders.is_in()
            && let Ok(next) = readers.try_recv()
        {
            served.push(next);
        }
        for reader in served {
            // Who asked may have gone away.
            let _ = reader.send(index.clone());
        }
    }
}
