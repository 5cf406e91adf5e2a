use super::Context;
use crate::{Compare, Error, KeyRange, Op, OpResult, Revision, Txn};

pub(super) async fn read_back(context: &Context<'_>) {
    assert_eq!(context.get("none").await, None, "what was never written is not there");
    for (name, value) in [(&b"plain"[..], &b"value"[..]), (b"empty", b""), (b"\0\x01\xff", b"\0\xff"), (b"", b"just the prefix")] {
        context.put(name, value).await;
        let entry = context.get(name).await.expect("what was written is there");
        assert_eq!((&*entry.key, &*entry.value, entry.lease), (&*context.key(name), value, None));
    }
    context.put("plain", "another").await;
    assert_eq!(context.get("plain").await.map(|entry| entry.value), Some(b"another".to_vec()), "the last write is read");
    assert!(context.store.delete(&context.key("plain")).await.expect("a key is deleted"), "the key existed");
    assert!(!context.store.delete(&context.key("plain")).await.expect("nothing is deleted"), "the key was deleted already");
    assert_eq!(context.get("plain").await, None, "what was deleted is not there");
}

pub(super) async fn revisions(context: &Context<'_>) {
    let base = context.revision().await;
    let after = |changes: u64| Revision(base.0 + changes);
    assert_eq!(context.put("a", "1").await, after(1), "a put is one");
    assert_eq!(context.put("a", "1").await, after(2), "the same value again is a change");
    context.store.delete(&context.key("none")).await.expect("nothing is deleted");
    assert_eq!(context.revision().await, after(2), "deleting nothing is none");
    let two = Txn::new().then(Op::put(context.key("a"), "2")).then(Op::put(context.key("b"), "2"));
    assert_eq!(context.store.txn(two).await.expect("a transaction").revision, after(3), "a transaction is one");
    let failed = Txn::new().when(Compare::missing(context.key("a"))).then(Op::put(context.key("a"), "3"));
    assert_eq!(context.store.txn(failed).await.expect("a transaction").revision, after(3), "a branch that changes nothing is none");
    let reads = Txn::new().then(Op::get(context.key("a")));
    assert_eq!(context.store.txn(reads).await.expect("a transaction").revision, after(3), "reads are none");
    context.store.delete(&context.key("b")).await.expect("a key is deleted");
    assert_eq!(context.revision().await, after(4), "deleting something is one");
    let page = context.range(context.all().into()).await;
    assert_eq!(page.revision, after(4), "a read says where the store is");
}

pub(super) async fn versions(context: &Context<'_>) {
    let history = async || {
        let entry = context.get("a").await.expect("it is there");
        (entry.create_revision, entry.mod_revision, entry.version)
    };
    let first = context.put("a", "1").await;
    assert_eq!(history().await, (first, first, 1));
    context.put("other", "1").await;
    let second = context.put("a", "2").await;
    assert_eq!(history().await, (first, second, 2));
    context.store.delete(&context.key("a")).await.expect("it is deleted");
    let third = context.put("a", "3").await;
    assert_eq!(history().await, (third, third, 1), "a key that was deleted begins anew");
}

pub(super) async fn delete_range(context: &Context<'_>) {
    for number in 0..600 {
        context.put(format!("{number:03}"), "x").await;
    }
    let before = context.revision().await;
    let range = KeyRange::new(context.key("010"), context.key("590"));
    assert_eq!(context.store.delete_range(range).await.expect("keys are deleted"), 580);
    assert_eq!(context.revision().await, before.next(), "all at one revision");
    let left = context.range(context.all().into()).await;
    let names: Vec<String> = (0..10).chain(590..600).map(|number| format!("{number:03}")).collect();
    assert_eq!(context.names(&left), names, "the others are there");
}

pub(super) async fn compare_and_swap(context: &Context<'_>) {
    let (store, key) = (&context.store, context.key("a"));
    let first = store.compare_and_swap(&key, None, b"1").await.expect("there was nothing");
    let again = store.compare_and_swap(&key, None, b"2").await;
    assert!(matches!(again, Err(Error::Conflict { actual: Some(actual) }) if actual == first), "{again:?}");
    let second = store.compare_and_swap(&key, Some(first), b"3").await.expect("it was as expected");
    let late = store.compare_and_swap(&key, Some(first), b"4").await;
    assert!(matches!(late, Err(Error::Conflict { actual: Some(actual) }) if actual == second), "{late:?}");
    assert_eq!(context.get("a").await.map(|entry| entry.value), Some(b"3".to_vec()), "a conflict changes nothing");
    store.delete(&key).await.expect("it is deleted");
    let gone = store.compare_and_swap(&key, Some(second), b"5").await;
    assert!(matches!(gone, Err(Error::Conflict { actual: None })), "{gone:?}");
}

pub(super) async fn increments(context: &Context<'_>) {
    const CLIENTS: usize = 8;
    const EACH: usize = 20;
    let clients = (0..CLIENTS).map(|_| {
        let client = async {
            for _ in 0..EACH {
                increment(context).await;
            }
        };
        Box::pin(client) as jarre_core::BoxFuture<'_, ()>
    });
    together(clients.collect()).await;
    let counted = context.get("counter").await.expect("it was counted");
    assert_eq!((&*counted.value, counted.version), (format!("{}", CLIENTS * EACH).as_bytes(), (CLIENTS * EACH) as u64));
}

async fn increment(context: &Context<'_>) {
    let key = context.key("counter");
    loop {
        let read = Txn::new().then(Op::get(key.clone()));
        let outcome = context.store.txn(read).await.expect("a read");
        let Some(OpResult::Get(page)) = outcome.results.first() else { panic!("a read gives a page") };
        let entry = page.entries.first();
        let count = entry.map_or(0, |entry| String::from_utf8_lossy(&entry.value).parse::<u64>().expect("a number"));
        let expected = entry.map(|entry| entry.mod_revision);
        match context.store.compare_and_swap(&key, expected, (count + 1).to_string().as_bytes()).await {
            Ok(_) => return,
            Err(Error::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Polls all until each is done.
pub(super) async fn together(mut futures: Vec<jarre_core::BoxFuture<'_, ()>>) {
    std::future::poll_fn(|task| {
        futures.retain_mut(|future| future.as_mut().poll(task).is_pending());
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
