use std::time::Duration;

use jarre_kv_store::{Error, KeyRange, RangeRequest, ReadLevel, Store};

use crate::group::{Group, is_no_quorum};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_the_leader_and_a_restart_of_all() {
    let mut group = Group::started(3).await;
    for round in 0..3 {
        let leader = group.leader().await;
        for number in 0..20 {
            group.put(leader, &format!("{round}/{number}"), "kept").await;
        }
        group.stop(leader).await;
        let next = group.leader().await;
        assert_ne!(next, leader);
        group.put(next, &format!("{round}/after"), "kept").await;
        group.start(leader).await.unwrap();
    }
    group.converge().await;
    for at in 0..3 {
        group.stop(at).await;
    }
    group.start_all().await;
    let leader = group.leader().await;
    let page = group.at(leader).range(RangeRequest::new(KeyRange::all()).with_limit(100)).await.unwrap();
    assert_eq!(page.entries.len(), 63);
    group.converge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_quorum_nothing_is_promised() {
    let mut group = Group::started(3).await;
    let leader = group.leader().await;
    group.put(leader, "before", "1").await;
    for at in (0..3).filter(|at| *at != leader) {
        group.stop(at).await;
    }
    let alone = group.at(leader);
    assert!(is_no_quorum(&alone.get(b"before").await));
    assert!(matches!(alone.put(b"during", b"2").await, Err(Error::NoQuorum | Error::Unknown { .. })));
    let stale = ReadLevel::Stale { max_age: Duration::MAX };
    let page = alone.range(RangeRequest::new(KeyRange::key("before")).with_level(stale)).await.unwrap();
    assert_eq!(page.entries.len(), 1, "what is allowed to be old is served");
    let fresh = ReadLevel::Stale { max_age: Duration::from_millis(1) };
    assert!(is_no_quorum(&alone.range(RangeRequest::new(KeyRange::key("before")).with_level(fresh)).await));
    let by_lease = alone.range(RangeRequest::new(KeyRange::key("before")).with_level(ReadLevel::Lease)).await;
    assert!(matches!(by_lease, Err(Error::Unsupported(_))));
    for at in (0..3).filter(|at| *at != leader) {
        group.start(at).await.unwrap();
    }
    group.put(leader, "after", "3").await;
    group.converge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_one_members_until_it_is_dropped() {
    let mut group = Group::of(1);
    group.start_all().await;
    let first = group.at(0).clone();
    assert!(matches!(group.start(0).await, Err(Error::InUse { .. })));
    first.shutdown().await;
    assert!(matches!(group.start(0).await, Err(Error::InUse { .. })), "its log is still open");
    drop(first);
    group.stop(0).await;
    group.start(0).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_was_away_for_long_is_brought_up_by_a_snapshot() {
    let mut group = Group::of(3);
    group.snapshot_entries = 50;
    group.start_all().await;
    let away = group.follower().await;
    group.stop(away).await;
    let leader = group.leader().await;
    for number in 0..400 {
        group.put(leader, &format!("{:03}", number % 100), &"x".repeat(5000)).await;
    }
    let purged = group.at(leader).log_indices()[2].unwrap();
    assert!(purged > 200, "the log was given up to {purged}");
    group.start(away).await.unwrap();
    group.converge().await;
    let page = group.at(away).range(RangeRequest::new(KeyRange::all()).keys_only()).await.unwrap();
    assert_eq!(page.entries.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_lost_its_folder_is_not_let_in_under_its_name() {
    let mut group = Group::started(3).await;
    let leader = group.leader().await;
    group.put(leader, "key", "value").await;
    let lost = group.follower().await;
    group.stop(lost).await;
    std::fs::remove_dir_all(group.folder(lost)).unwrap();
    group.start(lost).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(is_no_quorum(&group.at(lost).ready(Duration::from_millis(1)).await) || group.at(lost).get(b"key").await.is_err());
    assert_eq!(group.at(lost).log_indices()[1], None, "it was given nothing");
    group.put(leader, "after", "value").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_lost_its_log_alone_does_not_start() {
    let mut group = Group::started(3).await;
    let leader = group.leader().await;
    group.put(leader, "key", "value").await;
    let lost = group.follower().await;
    group.stop(lost).await;
    std::fs::remove_dir_all(group.folder(lost).join("log")).unwrap();
    let refused = group.start(lost).await.unwrap_err();
    assert!(matches!(&refused, Error::Membership(why) if why.contains("log")), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn leadership_is_handed_over() {
    let group = Group::started(3).await;
    let leader = group.leader().await;
    group.put(leader, "key", "value").await;
    jarre_kv_store::Members::step_down(&**group.at(leader)).await.unwrap();
    assert_ne!(group.leader().await, leader);
    assert!(group.at(leader).get(b"key").await.unwrap().is_some());
}
