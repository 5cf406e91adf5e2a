use jarre_kv_store::{Members, RaftMember};

use crate::group::{Group, soon};

#[tokio::test(flavor = "multi_thread")]
async fn each_member_knows_its_part_in_raft() {
    let mut group = Group::of(3);
    group.snapshot_entries = 50;
    group.start_all().await;
    let leader = group.leader().await;
    let learner = group.start_another(4).await.learner();
    group.at(leader).add(learner).await.unwrap();
    for number in 0..200 {
        group.put(leader, &number.to_string(), "value").await;
    }
    group.converge().await;
    let status = |at: usize| group.at(at).raft_status();
    soon("all lead and follow as they say", || {
        let (leads, ids) = (status(leader), |status: &jarre_kv_store::RaftStatus| status.lag.keys().copied().collect::<Vec<_>>());
        let others: Vec<u64> = (1..=4).filter(|id| *id != group.members[leader].id).collect();
        ids(&leads) == others && leads.lag.values().all(|lag| *lag == 0) && leads.purged.is_some()
    })
    .await;
    let leads = status(leader);
    for at in 0..4 {
        let found = status(at);
        assert_eq!((found.term, found.leader), (leads.term, Some(group.members[leader].id)));
        assert_eq!((found.is_leader, found.is_learner), (at == leader, at == 3));
        assert_eq!((found.voters.as_slice(), found.learners.as_slice()), (&[1, 2, 3][..], &[4][..]));
        assert!(found.last_index == found.committed && found.committed == found.applied, "{found:?}");
        assert!(found.purged <= found.snapshot && found.snapshot <= found.applied, "{found:?}");
        assert!(found.leader_changes >= 1 && (at == leader) != found.lag.is_empty(), "{found:?}");
        assert_eq!(group.at(at).term(), found.term);
    }
    let seen: Vec<u64> = (0..4).map(|at| status(at).leader_changes).collect();
    group.stop(leader).await;
    let next = group.leader().await;
    assert!(group.at(next).term() > leads.term);
    let stays = (0..3).find(|at| ![leader, next].contains(at)).unwrap();
    soon("another leader is seen", || group.at(stays).raft_status().leader_changes > seen[stays]).await;
    group.stop(stays).await;
    soon("a leader that hears no majority says so", || group.at(next).raft_status().leader.is_none()).await;
}
