use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::{Entry, KeyRange, Result, Revision};

/// Which changes to follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRequest {
    /// Of which keys.
    pub range: KeyRange,
    /// The first revision whose changes are wanted; `None` for those from now on.
    pub from: Option<Revision>,
    /// Whether to say what keys held before.
    pub prev: bool,
}

impl WatchRequest {
    /// Changes of the keys in `range` from now on.
    pub const fn new(range: KeyRange) -> Self {
        Self { range, from: None, prev: false }
    }

    /// From the changes of `revision` on: that of the last batch seen, plus one, goes on where a watch ended.
    pub const fn from(mut self, revision: Revision) -> Self {
        self.from = Some(revision);
        self
    }

    /// With what keys held before.
    pub const fn with_prev(mut self) -> Self {
        self.prev = true;
        self
    }
}

/// All changes of one revision to the keys that are watched, in the order in which they were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchBatch {
    /// The revision. All changes up to it have been delivered.
    pub revision: Revision,
    /// The changes; none where progress was asked for.
    pub events: Vec<Event>,
}

/// A change of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Event {
    /// It was written; its version is 1 where it was created.
    Put {
        /// What it holds now.
        entry: Entry,
        /// What it held before, where that was asked for and it existed.
        prev: Option<Entry>,
    },
    /// It was deleted, or its lease ended.
    Delete {
        /// The key.
        #[serde(with = "serde_bytes")]
        key: Vec<u8>,
        /// What it held, where that was asked for.
        prev: Option<Entry>,
    },
}

impl Event {
    /// The key that changed.
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put { entry, .. } => &entry.key,
            Self::Delete { key, .. } => key,
        }
    }
}

/// A stream of changes. It ends after an error; `Compacted` says that changes were lost to a reader this slow.
pub struct Watch {
    source: Box<dyn WatchSource>,
    ended: bool,
}

/// What a store follows its changes by.
pub trait WatchSource: Send {
    /// The next batch, or that there is none now and the task of `context` will be woken.
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Result<WatchBatch>>;

    /// Wants a batch, empty if need be, once all changes made until now have been delivered.
    fn request_progress(&mut self);
}

impl Watch {
    /// A watch that takes its batches from `source`.
    pub fn new(source: impl WatchSource + 'static) -> Self {
        Self { source: Box::new(source), ended: false }
    }

    /// The next batch; `None` once it has ended.
    pub async fn next(&mut self) -> Option<Result<WatchBatch>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Asks how far it is: once all changes made until now have been delivered, the next batch comes even if it is empty.
    pub fn request_progress(&mut self) {
        self.source.request_progress();
    }
}

impl Stream for Watch {
    type Item = Result<WatchBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let polled = self.source.poll_batch(context);
        self.ended = matches!(polled, Poll::Ready(Err(_)));
        polled.map(Some)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("ended", &self.ended).finish_non_exhaustive()
    }
}
