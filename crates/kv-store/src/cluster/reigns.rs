use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::{
    consensus::{Metrics, Raft, Types},
    replica::{Replica, leader},
};
use crate::{RaftStatus, log::LogStore};

/// Counts those who led, and tells how a member stands.
pub(super) struct Reigns {
    log: LogStore<Types>,
    changes: AtomicU64,
}

impl Reigns {
    /// What tells, and what counts as long as it is polled.
    pub(super) fn new(raft: Raft, log: LogStore<Types>) -> (Arc<Self>, impl Future<Output = ()> + Send) {
        let reigns = Arc::new(Self { log, changes: AtomicU64::new(0) });
        (Arc::clone(&reigns), async move { reigns.count(&raft).await })
    }

    /// One that begins and ends between two looks is not seen.
    async fn count(&self, raft: &Raft) {
        let mut metrics = raft.metrics();
        let mut last = None;
        loop {
            let now = reign(&metrics.borrow_and_update());
            if now.is_some() && now != last {
                last = now;
                self.changes.fetch_add(1, Relaxed);
            }
            if metrics.changed().await.is_err() {
                return;
            }
        }
    }

    /// How `replica`, whose log this knows, stands.
    pub(super) fn status(&self, replica: &Replica) -> RaftStatus {
        let metrics = replica.raft.metrics();
        let metrics = metrics.borrow().clone();
        let members = metrics.membership_config.membership();
        let voters: Vec<u64> = members.voter_ids().collect();
        let learners: Vec<u64> = members.learner_ids().collect();
        let (is_leader, applied) = (metrics.state.is_leader(), metrics.last_applied.map(|id| id.index));
        RaftStatus {
            term: metrics.current_term,
            leader: leader(&metrics).map(|(id, _)| id).filter(|_| !is_leader || replica.has_quorum().is_ok()),
            is_leader,
            is_learner: learners.contains(&replica.id),
            leader_changes: self.changes.load(Relaxed),
            last_index: metrics.last_log_index,
            // What was carried out was committed, also where a crash took the mark.
            committed: self.log.committed().max(applied),
            applied,
            snapshot: metrics.snapshot.map(|id| id.index),
            purged: metrics.purged.map(|id| id.index),
            voters,
            is_changing: members.get_joint_config().len() > 1,
            learners,
            lag: lag(&metrics),
        }
    }
}

/// Who leads, and in which term.
fn reign(metrics: &Metrics) -> Option<(u64, u64)> {
    leader(metrics).map(|(id, _)| (id, metrics.current_term))
}

/// How many entries of a leader's log each of the others is not known to have.
fn lag(metrics: &Metrics) -> BTreeMap<u64, u64> {
    let next = |index: Option<u64>| index.map_or(0, |index| index + 1);
    let others = metrics.replication.iter().flatten().filter(|(id, _)| **id != metrics.id);
    others.map(|(id, matching)| (*id, next(metrics.last_log_index).saturating_sub(next(matching.map(|id| id.index))))).collect()
}
