use std::{sync::Arc, time::Duration};

use jarre_kv_store::{Cluster, Error, KeyRange, Refusal, Revision, Store, WatchBatch, WatchRequest};
use tokio::time::{Instant, sleep, timeout};

use super::{Call, Client, LIMIT};
use crate::histories::caller::Caller;

impl Client {
    /// Follows all changes, at one member after another.
    pub(crate) async fn watch(mut self) {
        let mut next = Revision(2);
        while self.goes_on() {
            let length = Duration::from_millis(200 + self.dice.below(3000));
            next = match self.front.call(self.home, LIMIT * 2, follow(next, length)).await {
                Ok(batches) => self.record.lock().follow(next, batches),
                Err(Error::Refused(Refusal::Compacted { at })) => {
                    let mut seen = self.record.lock();
                    seen.compacted = seen.compacted.max(at);
                    next.max(at.next())
                }
                Err(_) => next,
            };
            self.home = self.front.pick(&mut self.dice);
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Gives up old history.
    pub(crate) async fn compact(mut self) {
        while self.goes_on() {
            sleep(Duration::from_secs(3)).await;
            let status = self.ask(|cluster| Box::pin(async move { cluster.status().await })).await;
            let Some(at) = status.ok().and_then(|status| status.revision.0.checked_sub(100)) else { continue };
            let _ = self.ask(move |cluster| Box::pin(async move { cluster.compact(Revision(at)).await })).await;
        }
    }
}

/// The changes of everything from a revision on that are told in so much time.
pub(crate) fn follow(from: Revision, length: Duration) -> impl FnOnce(Arc<Cluster>) -> Call<Vec<WatchBatch>> + Send + use<> {
    move |cluster| {
        Box::pin(async move {
            let mut watch = cluster.watch(WatchRequest::new(KeyRange::all()).from(from).with_prev()).await?;
            let mut batches = Vec::new();
            let end = Instant::now() + length;
            while let Ok(Some(next)) = timeout(end.saturating_duration_since(Instant::now()), watch.next()).await {
                match next {
                    Ok(batch) => batches.push(batch),
                    Err(error) if batches.is_empty() => return Err(error),
                    Err(_) => break,
                }
            }
            Ok(batches)
        })
    }
}
