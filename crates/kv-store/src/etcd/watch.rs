use std::{
    sync::Arc,
    task::{Context, Poll},
};

use tokio::sync::{Notify, mpsc};

use super::{
    caller::Caller,
    failure::{Failure, Kind},
    follower::Follower,
    keys,
};
use crate::{Error, Result, Revision, Watch, WatchBatch, WatchRequest, WatchSource};

/// Batches that wait for their reader. While there are more, nothing is read from etcd, which keeps the rest as history.
const AHEAD: usize = 64;

impl Caller {
    /// Follows changes. A stream that breaks is opened again where it was, as long as somebody listens.
    pub(super) async fn watch(self: Arc<Self>, request: WatchRequest) -> Result<Watch> {
        self.options.limits.check_range(&request.range)?;
        let next = match request.from {
            Some(from) => self.not_compacted(from).await?,
            None => self.revision().await?.next(),
        };
        let ((out, batches), progress) = (mpsc::channel(AHEAD), Arc::new(Notify::new()));
        let follower = Follower::new(self, request, next, out, Arc::clone(&progress));
        tokio::spawn(follower.run());
        Ok(Watch::new(Following { batches, progress }))
    }

    /// `from`, where the changes from there on are all there: where the state before it can be read.
    async fn not_compacted(&self, from: Revision) -> Result<Revision> {
        match self.touch(keys::number(Revision(from.0.saturating_sub(1).max(1)))).await {
            Ok(_) | Err(Failure::FutureRevision) => Ok(from),
            Err(failure) => Err(self.explain(failure, Kind::Read).await),
        }
    }
}

/// The reader's end.
struct Following {
    batches: mpsc::Receiver<Result<WatchBatch>>,
    progress: Arc<Notify>,
}

impl WatchSource for Following {
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Result<WatchBatch>> {
        self.batches.poll_recv(context).map(|batch| batch.unwrap_or(Err(Error::Closed)))
    }

    fn request_progress(&mut self) {
        self.progress.notify_one();
    }
}
