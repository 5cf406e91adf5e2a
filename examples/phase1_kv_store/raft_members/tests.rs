//! Real members in real time, a few seconds each.

use super::*;
use crate::{
    judge::Verdict,
    mode::Mode,
    request::{Answer, Refusal},
    split_brain::{self, Cut},
};

#[test]
fn a_quorum_loses_nothing_in_a_split() {
    let report = split_brain::report(Mode::Raft, Cut::Halves, 1).unwrap();
    assert_eq!(report.tally.lost, [0; 0]);
    assert_eq!(report.verdict, Verdict::Linearizable);
    assert!(!report.two_of_one_term && report.replicas_agree);
    let acknowledged = |node, after| {
        // What was asked before the cut, or answered after it, is no concern of it; threads take a moment to be told.
        let is_during = |operation: &&Operation| operation.call > after + 50_000 && operation.end < Some(report.schedule.heal);
        let during = report.operations.iter().filter(is_during);
        during.filter(|operation| operation.node == node && operation.acknowledged().is_some()).count()
    };
    assert_eq!(acknowledged(0, report.schedule.cut) + acknowledged(1, report.schedule.cut), 0, "two of five are no quorum");
    assert!((2..5).map(|node| acknowledged(node, report.schedule.cut)).sum::<usize>() > 0, "three are");
    let refusals = report.old_leader.iter().map(|read| match &read.answer {
        Answer::Refused { reason, .. } => Some(*reason),
        _ => None,
    });
    assert_eq!(refusals.collect::<Vec<_>>(), [None, Some(Refusal::NoQuorum), Some(Refusal::Unsupported), Some(Refusal::NoQuorum)]);
}

#[test]
fn a_member_that_was_killed_comes_back_with_what_others_wrote() {
    let mut cluster = Box::new(RaftMembers::start(3, Home::Here).unwrap());
    let leader = crate::deployment::wait_for_leader(&mut *cluster, 10_000_000).unwrap().node;
    cluster.inject(&Fault::Kill(leader)).unwrap();
    let next = crate::deployment::wait_for_leader(&mut *cluster, 10_000_000).unwrap();
    assert_ne!(next.node, leader);
    let now = cluster.now();
    let write = crate::request::Input::Write(crate::request::Value::new(1, 1));
    let ask = |id, node, input| Client::scripted(id, vec![(now, node, 0, input)], 3_000_000);
    cluster.start(ask(1, next.node, write));
    cluster.start(ask(2, leader, write));
    cluster.run_until(now + 2_000_000);
    assert_eq!(cluster.last_of(1).unwrap().answer, Answer::Written);
    assert_eq!(cluster.last_of(2).unwrap().answer, Answer::Refused { reason: Refusal::Down, hint: None });
    cluster.inject(&Fault::Start(leader)).unwrap();
    assert!(cluster.inject(&Fault::Pause(leader)).is_err());
    let record = cluster.finish().unwrap();
    assert_eq!(record.surviving.len(), 1);
    assert!(record.replicas.iter().all(|held| held.len() == 1), "{:?}", record.replicas);
}
