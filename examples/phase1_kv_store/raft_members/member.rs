use std::{collections::BTreeMap, collections::BTreeSet, time::Duration};

use anyhow::{Context, Result};
use jarre_core::BoxFuture;
use jarre_kv_store::{
    Cluster, Error, Event, KeyRange, Page, RangeRequest, ReadLevel, Result as StoreResult, Revision, Store, WatchRequest,
};
use serde::{Deserialize, Serialize};

use crate::{
    record::Claim,
    request::{Answer, Input, Level, Refusal, Request, Value},
};

/// A member that runs, in this process or in another.
pub(super) trait Member: Send + Sync {
    /// Carries out a client's request.
    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Answer>;

    /// Whether it believes to lead.
    fn claim(&self) -> Option<Claim>;

    /// What it holds, as a linearizable read or as it is.
    fn held(&self, linearizable: bool) -> BoxFuture<'_, Result<Held>>;

    /// Every value that was written at or before a revision.
    fn history(&self, until: u64) -> BoxFuture<'_, Result<BTreeSet<Value>>>;

    /// Ends it: at once where it can be, and returns when it has ended.
    fn end(&self) -> BoxFuture<'_, ()>;
}

/// What a member holds at a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) revision: u64,
    pub(super) values: BTreeMap<u8, Value>,
}

/// Where all keys of the demonstrations lie.
const PREFIX: &[u8] = b"key/";
/// How long a history may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

impl Member for Cluster {
    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let key = [PREFIX, &[request.key]].concat();
            match request.input {
                Input::Write(Value(value)) => match self.put(&key, &value.to_be_bytes()).await {
                    Ok(_) => Answer::Written,
                    Err(error) => failed(&error),
                },
                Input::Read(level) => {
                    let page = self.range(RangeRequest::new(KeyRange::key(key)).with_level(read_level(level))).await;
                    page.map_or_else(|error| failed(&error), |page| read(&page, level))
                }
            }
        })
    }

    fn claim(&self) -> Option<Claim> {
        let (_, term, leads) = self.leadership();
        leads.then_some(Claim { term: Some(term) })
    }

    fn held(&self, linearizable: bool) -> BoxFuture<'_, Result<Held>> {
        Box::pin(async move {
            let level = if linearizable { ReadLevel::Linearizable } else { ReadLevel::Stale { max_age: Duration::MAX } };
            let page = page(self, level).await?;
            let values = page.entries.iter().filter_map(|entry| Some((*entry.key.last()?, value(&entry.value)?)));
            Ok(Held { revision: page.revision.0, values: values.collect() })
        })
    }

    fn history(&self, until: u64) -> BoxFuture<'_, Result<BTreeSet<Value>>> {
        Box::pin(async move {
            let mut watch = self.watch(WatchRequest::new(KeyRange::prefix(PREFIX)).from(Revision::FIRST.next())).await?;
            watch.request_progress();
            let (mut values, mut seen) = (BTreeSet::new(), Revision::FIRST);
            while seen.0 < until {
                let next = tokio::time::timeout(PATIENCE, watch.next()).await.context("the history does not end")?;
                let batch = next.context("the history broke off")??;
                seen = batch.revision;
                values.extend(batch.events.iter().filter_map(|event| match event {
                    Event::Put { entry, .. } => value(&entry.value),
                    _ => None,
                }));
            }
            Ok(values)
        })
    }

    fn end(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.shutdown())
    }
}

async fn page(member: &Cluster, level: ReadLevel) -> StoreResult<Page> {
    member.range(RangeRequest::new(KeyRange::prefix(PREFIX)).with_level(level)).await
}

fn read(page: &Page, level: Level) -> Answer {
    let age = if let Level::Stale { max_age } = level { Some(max_age) } else { None };
    Answer::Value { value: page.entries.first().and_then(|entry| value(&entry.value)), age }
}

fn failed(error: &Error) -> Answer {
    let reason = match error {
        Error::NoQuorum => Refusal::NoQuorum,
        Error::NotLeader { .. } => Refusal::NotLeader,
        Error::Unsupported(_) => Refusal::Unsupported,
        // A member that has just stopped says so, or that something failed on the way: nobody can tell what it had done.
        _ => return Answer::Unknown,
    };
    Answer::Refused { reason, hint: None }
}

fn read_level(level: Level) -> ReadLevel {
    match level {
        Level::Linearizable => ReadLevel::Linearizable,
        Level::Lease => ReadLevel::Lease,
        Level::Stale { max_age } => ReadLevel::Stale { max_age: Duration::from_micros(max_age) },
    }
}

fn value(bytes: &[u8]) -> Option<Value> {
    Some(Value(u64::from_be_bytes(bytes.try_into().ok()?)))
}
