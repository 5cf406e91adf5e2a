use std::time::Duration;

use super::Context;
use crate::{Event, KeyRange, Op, Revision, Txn, Watch, WatchBatch, WatchRequest};

async fn watch(context: &Context<'_>, request: WatchRequest) -> Watch {
    context.store.watch(request).await.expect("a watch begins")
}

async fn next(watch: &mut Watch) -> WatchBatch {
    watch.next().await.expect("a watch goes on").expect("a watch delivers")
}

/// `+name=value` for a put, `-name` for a deletion.
fn said(context: &Context<'_>, batch: &WatchBatch) -> Vec<String> {
    let name = |key: &[u8]| String::from_utf8_lossy(&key[context.prefix.len()..]).into_owned();
    let say = |event: &Event| match event {
        Event::Put { entry, .. } => format!("+{}={}", name(&entry.key), String::from_utf8_lossy(&entry.value)),
        Event::Delete { key, .. } => format!("-{}", name(key)),
    };
    batch.events.iter().map(say).collect()
}

pub(super) async fn in_order(context: &Context<'_>) {
    context.put("a", "before").await;
    let mut live = watch(context, WatchRequest::new(context.all())).await;
    let mut revisions = Vec::new();
    for number in 0..700 {
        revisions.push(context.put(format!("{}", number % 7), number.to_string()).await);
    }
    context.store.delete(&context.key("3")).await.expect("it is deleted");
    let mut past = watch(context, WatchRequest::new(context.all()).from(revisions[0])).await;
    for (number, revision) in revisions.iter().enumerate() {
        for watch in [&mut live, &mut past] {
            let batch = next(watch).await;
            assert_eq!((batch.revision, said(context, &batch)), (*revision, vec![format!("+{}={number}", number % 7)]));
        }
    }
    for watch in [&mut live, &mut past] {
        assert_eq!(said(context, &next(watch).await), ["-3"]);
    }
}

pub(super) async fn whole(context: &Context<'_>) {
    let mut all = watch(context, WatchRequest::new(context.all())).await;
    let mut one = watch(context, WatchRequest::new(KeyRange::key(context.key("b")))).await;
    let txn = Txn::new().then(Op::put(context.key("c"), "1")).then(Op::put(context.key("a"), "2"));
    let revision = context.store.txn(txn).await.expect("a transaction").revision;
    let lease = context.store.lease_grant(Duration::from_secs(3)).await.expect("a lease");
    let put = Txn::new().then(Op::put_with_lease(context.key("b"), "3", lease)).then(Op::delete(context.key("a")));
    context.store.txn(put).await.expect("a transaction");
    let batch = next(&mut all).await;
    assert_eq!(
        (batch.revision, said(context, &batch)),
        (revision, vec!["+c=1".to_owned(), "+a=2".to_owned()]),
        "in the order of operations"
    );
    assert_eq!(said(context, &next(&mut all).await), ["+b=3", "-a"]);
    context.store.lease_revoke(lease).await.expect("it is there");
    assert_eq!(said(context, &next(&mut all).await), ["-b"], "the end of a lease is a change");
    assert_eq!(said(context, &next(&mut one).await), ["+b=3"], "only the range");
    assert_eq!(said(context, &next(&mut one).await), ["-b"]);
}

pub(super) async fn resumed(context: &Context<'_>) {
    let first = context.put("a", "0").await;
    for number in 1..30 {
        context.put("a", number.to_string()).await;
        context.put("b", "something else").await;
    }
    let (mut from, mut seen) = (first, Vec::new());
    while seen.len() < 30 {
        let mut piece = watch(context, WatchRequest::new(KeyRange::key(context.key("a"))).from(from)).await;
        for _ in 0..3 {
            let batch = next(&mut piece).await;
            seen.extend(said(context, &batch));
            from = batch.revision.next();
        }
    }
    assert_eq!(seen, (0..30).map(|number| format!("+a={number}")).collect::<Vec<_>>());
}

pub(super) async fn previous(context: &Context<'_>) {
    let mut with = watch(context, WatchRequest::new(context.all()).with_prev()).await;
    let mut without = watch(context, WatchRequest::new(context.all())).await;
    context.put("a", "1").await;
    context.put("a", "2").await;
    context.store.delete(&context.key("a")).await.expect("it is deleted");
    context.put("a", "3").await;
    for expected in [None, Some(b"1"), Some(b"2"), None] {
        for (watch, expected) in [(&mut with, expected), (&mut without, None)] {
            let batch = next(watch).await;
            let [Event::Put { prev, .. } | Event::Delete { prev, .. }] = &*batch.events else { panic!("one change: {batch:?}") };
            assert_eq!(prev.as_ref().map(|entry| &*entry.value), expected.map(|value| &value[..]));
        }
    }
}

pub(super) async fn progress(context: &Context<'_>) {
    let mut quiet = watch(context, WatchRequest::new(KeyRange::key(context.key("quiet")))).await;
    let noise = context.put("noise", "1").await;
    quiet.request_progress();
    let batch = next(&mut quiet).await;
    assert!(batch.events.is_empty() && batch.revision >= noise, "{batch:?} after {noise}");
    let change = context.put("quiet", "2").await;
    let batch = next(&mut quiet).await;
    assert_eq!((batch.revision, said(context, &batch)), (change, vec!["+quiet=2".to_owned()]), "asked once, it says so once");
    let ahead = Revision(context.revision().await.0 + 2);
    let mut future = watch(context, WatchRequest::new(context.all()).from(ahead)).await;
    context.put("a", "too early").await;
    context.put("a", "in time").await;
    assert_eq!(said(context, &next(&mut future).await), ["+a=in time"], "a watch may begin in the future");
}
