use std::time::Duration;

use super::Context;
use crate::{Error, LeaseId, Op, Refusal, Result, Txn};

const TTL: Duration = Duration::from_secs(3);

async fn put(context: &Context<'_>, name: &str, lease: LeaseId) -> Result<()> {
    context.store.txn(Txn::new().then(Op::put_with_lease(context.key(name), name, lease))).await.map(drop)
}

async fn grant(context: &Context<'_>, ttl: Duration) -> LeaseId {
    context.store.lease_grant(ttl).await.expect("a lease is granted")
}

fn is_gone<T: std::fmt::Debug>(result: &Result<T>, id: LeaseId) -> bool {
    matches!(result, Err(Error::Refused(Refusal::NoLease { id: gone })) if *gone == id)
}

pub(super) async fn runs_out(context: &Context<'_>) {
    let (short, long) = (grant(context, TTL).await, grant(context, TTL * 10).await);
    assert_ne!(short, long, "each lease has its own name");
    for (name, lease) in [("a", short), ("b", short), ("c", long)] {
        put(context, name, lease).await.expect("the lease is there");
    }
    assert_eq!(context.get("a").await.and_then(|entry| entry.lease), Some(short));
    let lease = context.store.lease(short).await.expect("the lease is there");
    assert_eq!((lease.ttl, lease.keys), (TTL, vec![context.key("a"), context.key("b")]));
    assert!(lease.remaining <= TTL && lease.remaining > TTL / 3, "{:?} are left", lease.remaining);

    context.subject.pass(TTL / 2).await;
    assert!(context.get("a").await.is_some(), "its time is not over");
    let before = context.revision().await;
    context.subject.pass(TTL).await;
    assert_eq!((context.get("a").await, context.get("b").await), (None, None), "its time is over");
    assert_eq!(context.revision().await, before.next(), "its keys go at one revision");
    assert!(context.get("c").await.is_some(), "another lease's keys stay");
    assert!(is_gone(&context.store.lease(short).await, short));
    assert!(is_gone(&context.store.lease_keep_alive(short).await, short), "nothing brings it back");
    context.store.lease_revoke(long).await.expect("it is there");
}

pub(super) async fn kept_alive(context: &Context<'_>) {
    let id = grant(context, TTL).await;
    put(context, "a", id).await.expect("the lease is there");
    for _ in 0..3 {
        context.subject.pass(TTL / 2).await;
        assert_eq!(context.store.lease_keep_alive(id).await.expect("its time is not over"), TTL);
    }
    assert!(context.get("a").await.is_some(), "it was kept alive for longer than its TTL");
    context.subject.pass(TTL + TTL / 2).await;
    assert_eq!(context.get("a").await, None, "no longer");
}

pub(super) async fn revoked(context: &Context<'_>) {
    let id = grant(context, TTL * 100).await;
    for name in ["a", "b"] {
        put(context, name, id).await.expect("the lease is there");
    }
    let before = context.revision().await;
    context.store.lease_revoke(id).await.expect("it is there");
    assert_eq!((context.get("a").await, context.revision().await), (None, before.next()));
    let again = context.store.lease_revoke(id).await;
    assert!(is_gone(&again, id), "{again:?}");
    assert!(is_gone(&put(context, "a", id).await, id), "nothing can be put on it");
    let empty = grant(context, TTL).await;
    context.store.lease_revoke(empty).await.expect("it is there");
    assert_eq!(context.revision().await, before.next(), "a lease without keys changes nothing");
}

pub(super) async fn left(context: &Context<'_>) {
    let (first, second) = (grant(context, TTL * 100).await, grant(context, TTL * 100).await);
    for name in ["stays", "leaves", "moves", "returns", "deleted"] {
        put(context, name, first).await.expect("the lease is there");
    }
    context.put("leaves", "for good").await;
    put(context, "moves", second).await.expect("the lease is there");
    context.put("returns", "for good").await;
    put(context, "returns", first).await.expect("the lease is there");
    context.store.delete(&context.key("deleted")).await.expect("it is deleted");
    context.put("deleted", "made anew, for good").await;
    context.store.lease_revoke(first).await.expect("it is there");
    let page = context.range(context.all().into()).await;
    assert_eq!(context.names(&page), ["deleted", "leaves", "moves"]);
    context.store.lease_revoke(second).await.expect("it is there");
    let page = context.range(context.all().into()).await;
    assert_eq!(context.names(&page), ["deleted", "leaves"]);
}

pub(super) async fn unknown(context: &Context<'_>) {
    let id = grant(context, TTL).await;
    context.store.lease_revoke(id).await.expect("it is there");
    let before = context.revision().await;
    let txn = Txn::new().then(Op::put(context.key("a"), "1")).then(Op::put_with_lease(context.key("b"), "2", id));
    let refused = context.store.txn(txn).await;
    assert!(is_gone(&refused, id), "{refused:?}");
    assert_eq!((context.revision().await, context.get("a").await), (before, None), "not even half was done");
    assert!(matches!(context.store.lease_grant(Duration::ZERO).await, Err(Error::Invalid(_))), "a lease lasts");
}
