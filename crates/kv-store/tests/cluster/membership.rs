use jarre_kv_store::{Error, Member, Members, Store};

use crate::group::Group;

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_added_replaced_and_removed() {
    let mut group = Group::started(3).await;
    let leader = group.leader().await;
    for number in 0..50 {
        group.put(leader, &number.to_string(), "value").await;
    }
    let member = group.start_another(4).await;
    let follower = group.follower().await;
    group.at(follower).add(member).await.unwrap();
    let members = group.at(leader).members().await.unwrap();
    assert_eq!(members.iter().map(|member| (member.id, member.voter)).collect::<Vec<_>>(), [(1, true), (2, true), (3, true), (4, true)]);
    assert_eq!(group.at(3).get(b"7").await.unwrap().unwrap().value, b"value");
    // The one that goes is the leader.
    let gone = group.members[leader].id;
    group.at(leader).remove(gone).await.unwrap();
    group.stop(leader).await;
    let next = group.leader().await;
    group.put(next, "after", "value").await;
    let members = group.at(next).members().await.unwrap();
    assert!(members.len() == 3 && members.iter().all(|member| member.id != gone), "{members:?}");
    group.converge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_learner_follows_and_is_promoted() {
    let mut group = Group::started(1).await;
    group.put(0, "key", "value").await;
    let member = group.start_another(2).await;
    group.at(0).add(member.learner()).await.unwrap();
    assert_eq!(group.at(1).get(b"key").await.unwrap().unwrap().value, b"value");
    group.stop(1).await;
    group.put(0, "without", "the learner").await;
    let options = group.options(1);
    group.running[1] = Some(std::sync::Arc::new(jarre_kv_store::Cluster::start(options).await.unwrap()));
    group.at(0).promote(2).await.unwrap();
    assert!(group.at(1).members().await.unwrap().iter().all(|member| member.voter));
    group.converge().await;
}

/// Who asked for a change may not have been told what became of it, and ask again.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_removed_comes_back_with_its_folder_and_not_with_another() {
    let mut group = Group::started(1).await;
    let member = group.start_another(2).await;
    group.at(0).add(member.clone()).await.unwrap();
    group.put(0, "key", "value").await;
    group.converge().await;
    group.at(0).remove(2).await.unwrap();
    group.put(0, "without", "it").await;
    group.at(0).add(member.clone()).await.unwrap();
    group.converge().await;
    assert_eq!(group.at(1).get(b"without").await.unwrap().unwrap().value, b"it");
    group.at(0).remove(2).await.unwrap();
    group.stop(1).await;
    let other = Group::started(1).await;
    let theirs = Member::new(2, other.members[0].peer.clone());
    let refused = group.at(0).add(theirs).await;
    assert!(matches!(&refused, Err(Error::Membership(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_make_no_sense_are_refused() {
    let mut group = Group::started(1).await;
    let store = group.at(0);
    let refused = |result: Result<(), Error>| assert!(matches!(result, Err(Error::Membership(_))), "{result:?}");
    refused(store.remove(1).await);
    refused(store.remove(9).await);
    refused(store.promote(9).await);
    refused(store.add(Member::new(1, "127.0.0.1:1")).await);
    refused(store.add(Member::new(2, "127.0.0.1:1")).await);
    let other = Group::started(1).await;
    let founded = Member::new(2, other.members[0].peer.clone());
    refused(group.at(0).add(founded).await);
    let member = group.start_another(3).await;
    group.at(0).add(member.clone()).await.unwrap();
    refused(group.at(0).add(member).await);
}
