mod compaction;
mod history;
mod lease;
mod limits;
mod random;
mod ranges;
mod session;
mod snapshot;
mod transactions;
mod watching;
mod writes;

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use jarre_core::BoxFuture;

use crate::{KeyRange, Page, RangeRequest, Store};

/// A kind of store under test.
pub trait Subject: Send + Sync {
    /// The store. The same may be given again: each check keeps to keys of its own, and none runs beside another.
    fn store(&self) -> BoxFuture<'_, Arc<dyn Store>>;

    /// Lets `time` pass, and leases run out.
    fn pass(&self, time: Duration) -> BoxFuture<'_, ()>;

    /// A new store from a snapshot; `None` where snapshots are restored by other means.
    fn restore(&self, snapshot: Vec<u8>) -> Option<BoxFuture<'_, Arc<dyn Store>>>;

    /// Whether watches of the store take changes before their reader asks for them, as those over a network do. Changes that are compacted
    /// meanwhile may then still be delivered; none may be left out before the watch says that it was overtaken.
    fn watches_ahead(&self) -> bool {
        false
    }
}

/// What a check works with.
#[derive(Clone)]
pub struct Context<'a> {
    /// The store.
    pub store: Arc<dyn Store>,
    /// What every key of the check begins with.
    pub prefix: String,
    subject: &'a dyn Subject,
}

/// A promise of [`Store`], tried. Panics where it is broken.
pub type Check = for<'a> fn(&'a Context<'a>) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Every promise of [`Store`] by its name, with its check.
pub const CHECKS: [(&str, Check); 33] = [
    ("a value is read back as it was written", |context| Box::pin(writes::read_back(context))),
    ("each change makes one revision, and nothing else makes any", |context| Box::pin(writes::revisions(context))),
    ("a key knows when it was created and modified, and how often", |context| Box::pin(writes::versions(context))),
    ("a range deletion deletes what is in the range, at one revision", |context| Box::pin(writes::delete_range(context))),
    ("compare-and-swap writes only over what was expected", |context| Box::pin(writes::compare_and_swap(context))),
    ("concurrent compare-and-swaps lose no update", |context| Box::pin(writes::increments(context))),
    ("ranges have their bounds, order and limit", |context| Box::pin(ranges::bounds(context))),
    ("keys are in the order of their bytes, whatever bytes", |context| Box::pin(ranges::order(context))),
    ("pages are of one state, and miss and repeat nothing", |context| Box::pin(ranges::pages(context))),
    ("keys can be read without values", |context| Box::pin(ranges::keys_only(context))),
    ("each read level is served or refused", |context| Box::pin(ranges::levels(context))),
    ("the past is read as it was", |context| Box::pin(history::past(context))),
    ("the future is refused", |context| Box::pin(history::future(context))),
    ("every compare holds exactly when it should", |context| Box::pin(transactions::compares(context))),
    ("a transaction takes one branch, at one revision", |context| Box::pin(transactions::branches(context))),
    ("operations see those before them", |context| Box::pin(transactions::sees_itself(context))),
    ("a transaction returns what it replaced, where asked", |context| Box::pin(transactions::previous(context))),
    ("a transaction that changes a key twice is refused whole", |context| Box::pin(transactions::twice(context))),
    ("a lease takes its keys with it when its time is over, and no earlier", |context| Box::pin(lease::runs_out(context))),
    ("a lease that is kept alive lasts", |context| Box::pin(lease::kept_alive(context))),
    ("a revoked lease is gone, with its keys at one revision", |context| Box::pin(lease::revoked(context))),
    ("a key leaves its lease when it is put without", |context| Box::pin(lease::left(context))),
    ("a put with an unknown lease changes nothing", |context| Box::pin(lease::unknown(context))),
    ("a watch sees every change once, in order", |context| Box::pin(watching::in_order(context))),
    ("a watch sees a revision whole, and only its range", |context| Box::pin(watching::whole(context))),
    ("a watch goes on where another ended", |context| Box::pin(watching::resumed(context))),
    ("a watch says what was there before, where asked", |context| Box::pin(watching::previous(context))),
    ("a watch says how far it is, where asked", |context| Box::pin(watching::progress(context))),
    ("compaction gives up the past and nothing else", |context| Box::pin(compaction::past(context))),
    ("a session's request is carried out once", |context| Box::pin(session::once(context))),
    ("what is too large or not sound is refused whole", |context| Box::pin(limits::refused(context))),
    ("a snapshot holds the store, and is restored", |context| Box::pin(snapshot::restored(context))),
    ("random operations do what a plain map does", |context| Box::pin(random::against_the_model(context))),
];

/// Runs every check on the store of `subject`. Run it where the store's futures run.
///
/// # Panics
/// Where a promise is broken. Its name is the last that was traced.
pub async fn conformance(subject: &dyn Subject) {
    for (number, (name, check)) in CHECKS.iter().enumerate() {
        let context = Context { store: subject.store().await, prefix: format!("conformance/{number:02}/"), subject };
        context.store.delete_range(context.all()).await.expect("keys of an earlier run are deleted");
        tracing::info!(promise = name, "checking");
        check(&context).await;
    }
}

impl Context<'_> {
    /// `name` as a key of this check.
    pub fn key(&self, name: impl AsRef<[u8]>) -> Vec<u8> {
        [self.prefix.as_bytes(), name.as_ref()].concat()
    }

    /// Every key of this check.
    pub fn all(&self) -> KeyRange {
        KeyRange::prefix(self.prefix.clone())
    }

    async fn put(&self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> crate::Revision {
        self.store.put(&self.key(name), value.as_ref()).await.expect("a put is carried out")
    }

    async fn get(&self, name: impl AsRef<[u8]>) -> Option<crate::Entry> {
        self.store.get(&self.key(name)).await.expect("a key is read")
    }

    async fn range(&self, request: RangeRequest) -> Page {
        self.store.range(request).await.expect("a range is read")
    }

    async fn revision(&self) -> crate::Revision {
        // A member's status is its own: it may not have carried out yet what another one acknowledged.
        self.range(RangeRequest::new(self.all()).with_limit(1)).await.revision
    }

    /// What is left of the keys on a page, without the prefix.
    fn names(&self, page: &Page) -> Vec<String> {
        page.entries.iter().map(|entry| String::from_utf8_lossy(&entry.key[self.prefix.len()..]).into_owned()).collect()
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
