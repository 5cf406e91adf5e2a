use std::{sync::Arc, time::Duration};

use jarre_core::testing::ManualClock;
use jarre_kv_store::{Op, Session, Store, Txn};

use crate::group::Group;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_leader_gives_every_lease_its_whole_time_and_ends_it_then() {
    let clock = Arc::new(ManualClock::default());
    let mut group = Group::of(3);
    group.clock = Arc::clone(&clock) as _;
    group.start_all().await;
    let leader = group.leader().await;
    let store = group.at(leader);
    let lease = store.lease_grant(Duration::from_secs(10)).await.unwrap();
    store.txn(Txn::new().then(Op::put_with_lease("held", "1", lease))).await.unwrap();
    clock.advance(Duration::from_secs(9));
    group.stop(leader).await;
    let next = group.leader().await;
    let store = group.at(next);
    let found = store.lease(lease).await.unwrap();
    assert_eq!(found.remaining, Duration::from_secs(10));
    clock.advance(Duration::from_secs(9));
    assert!(store.get(b"held").await.unwrap().is_some(), "nine seconds of this leader's ten");
    assert_eq!(store.lease_keep_alive(lease).await.unwrap(), Duration::from_secs(10));
    clock.advance(Duration::from_millis(10_001));
    let other = group.follower().await;
    assert!(group.at(other).get(b"held").await.unwrap().is_none(), "over, whomever one asks");
    assert!(store.lease(lease).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_though_nobody_asks() {
    let clock = Arc::new(ManualClock::default());
    let mut group = Group::of(3);
    group.clock = Arc::clone(&clock) as _;
    group.start_all().await;
    let store = group.at(group.leader().await);
    let lease = store.lease_grant(Duration::from_secs(1)).await.unwrap();
    let revision = store.txn(Txn::new().then(Op::put_with_lease("held", "1", lease))).await.unwrap().revision;
    clock.advance(Duration::from_secs(2));
    crate::group::soon("the lease ends", || store.verify().unwrap().revision > revision).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sessions_request_is_carried_out_once_over_a_change_of_leader() {
    let mut group = Group::started(3).await;
    let leader = group.leader().await;
    let other = group.follower().await;
    let store = Arc::clone(group.at(other));
    let mut session = Session::open(Arc::clone(&store)).await.unwrap();
    let request = session.tag(Txn::new().then(Op::put("counter", "1")));
    let first = store.txn(request.clone()).await.unwrap();
    group.stop(leader).await;
    group.leader().await;
    assert_eq!(store.txn(request).await.unwrap(), first);
    assert_eq!(store.get(b"counter").await.unwrap().unwrap().version, 1);
}
