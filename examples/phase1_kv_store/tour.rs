//! The store in one file, a feature at a time.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use jarre_kv_store::{
    Compare, Embedded, Error, Event, KeyRange, Limits, Memory, Op, RangeRequest, Refusal, Revision, Session, Store, Txn, WatchRequest,
};

pub(crate) fn run(path: Option<&Path>) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let path = path.map_or_else(|| folder.path().join("tour.kv"), Path::to_path_buf);
    ensure!(!path.exists(), "{} exists: the tour begins with a new file", path.display());
    pollster::block_on(tour(&path))
}

async fn tour(path: &Path) -> Result<()> {
    let store = Embedded::open(path)?;
    say("file", format_args!("{}, one file, synced before each answer", path.display()));
    let first = history(&store).await?;
    transactions(&store).await?;
    lease(&store).await?;
    watch(&store, first).await?;
    session(&store).await?;
    snapshot(&store).await?;
    refusals(&store).await?;
    let before = store.status().await?;
    drop(store);
    let store = Embedded::open(path)?;
    let verified = store.verify()?;
    ensure!(verified.revision == before.revision, "the file is at {:?} again, and was at {:?}", verified.revision, before.revision);
    say("opened again", format_args!("{} keys at revision {}, all checksums hold", verified.keys, verified.revision));
    Ok(())
}

async fn history(store: &Embedded) -> Result<Revision> {
    let first = store.put(b"run/1", b"started").await?;
    let second = store.put(b"run/1", b"done").await?;
    let then = store.range(RangeRequest::new(KeyRange::prefix("run/")).at(first)).await?;
    let value = then.entries.first().map(|entry| String::from_utf8_lossy(&entry.value).into_owned());
    say("history", format_args!("run/1 is \"done\" at revision {second}, and was {:?} at {first}", value.unwrap_or_default()));
    Ok(first)
}

async fn transactions(store: &Embedded) -> Result<()> {
    let take =
        Txn::new().when(Compare::missing("lock")).then(Op::put("lock", "me")).then(Op::put("log/1", "taken")).otherwise(Op::get("lock"));
    let (first, second) = (store.txn(take.clone()).await?, store.txn(take).await?);
    ensure!(first.succeeded && !second.succeeded, "a lock was taken twice");
    say("transaction", format_args!("a lock and its log at one revision ({}); the second try took the other branch", first.revision));
    let entry = store.get(b"lock").await?.context("the lock is there")?;
    store.compare_and_swap(b"lock", Some(entry.mod_revision), b"you").await?;
    let late = store.compare_and_swap(b"lock", Some(entry.mod_revision), b"them").await;
    ensure!(matches!(late, Err(Error::Conflict { .. })), "a late exchange was let through");
    say("exchange", format_args!("one of two that saw revision {} won", entry.mod_revision));
    Ok(())
}

async fn lease(store: &Embedded) -> Result<()> {
    let lease = store.lease_grant(Duration::from_mins(1)).await?;
    store.txn(Txn::new().then(Op::put_with_lease("worker/7", "alive", lease))).await?;
    let left = store.lease_keep_alive(lease).await?;
    store.lease_revoke(lease).await?;
    ensure!(store.get(b"worker/7").await?.is_none(), "a key outlived its lease");
    say("lease", format_args!("worker/7 had {} s after it was kept alive, and went with its lease", left.as_secs()));
    Ok(())
}

async fn watch(store: &Embedded, from: Revision) -> Result<()> {
    let mut watch = store.watch(WatchRequest::new(KeyRange::prefix("run/")).from(from)).await?;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let batch = watch.next().await.context("a watch does not end before its store")??;
        seen.extend(batch.events.iter().map(|event| match event {
            Event::Put { .. } => format!("put at {}", batch.revision),
            _ => format!("changed at {}", batch.revision),
        }));
    }
    say("watch", format_args!("from revision {from} on: {}", seen.join(", ")));
    Ok(())
}

async fn session(store: &Embedded) -> Result<()> {
    let mut session = Session::open(store).await?;
    let request = session.tag(Txn::new().then(Op::put("counter", "1")));
    let (first, again) = (store.txn(request.clone()).await?, store.txn(request).await?);
    ensure!(first == again, "a retry was answered differently");
    let version = store.get(b"counter").await?.context("the counter is there")?.version;
    say("session", format_args!("a request that was sent twice was carried out {version} time"));
    Ok(())
}

async fn snapshot(store: &Embedded) -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    let info = store.snapshot(Box::new(file.reopen()?)).await?;
    let clock = std::sync::Arc::new(jarre_core::SystemClock::new());
    let copy = Memory::restore(file.reopen()?, clock, Limits::default())?;
    ensure!(copy.verify()?.digest == info.digest, "a copy differs from its original");
    say("snapshot", format_args!("{} rows at revision {}, restored in memory with the same digest", info.rows, info.revision));
    Ok(())
}

async fn refusals(store: &Embedded) -> Result<()> {
    let current = store.status().await?.revision;
    store.compact(current).await?;
    let old = store.range(RangeRequest::new(KeyRange::all()).at(Revision(current.0 - 1))).await;
    let Err(Error::Refused(Refusal::Compacted { at })) = old else { anyhow::bail!("a compacted revision was read") };
    say("compaction", format_args!("history up to {at} is given up, and asking for it says so"));
    Ok(())
}

fn say(what: &str, how: std::fmt::Arguments<'_>) {
    println!("{what:<13} {how}");
}
