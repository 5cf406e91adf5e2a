use super::page::Page;
use crate::RaftStatus;

/// How a member stands in Raft. What etcd has too is named as there, `etcd_server_` being `jarre_kv_`.
pub(super) fn show(page: &mut Page, raft: &RaftStatus) {
    let flag = |so: bool| f64::from(u8::from(so));
    page.gauge("has_leader", "Whether a leader is known, and if it is this member, has a majority.", flag(raft.leader.is_some()));
    page.gauge("is_leader", "Whether this member believes to lead.", flag(raft.is_leader));
    page.gauge("is_learner", "Whether this member follows and does not vote.", flag(raft.is_learner));
    page.counter("leader_changes_seen_total", "Leaders seen, each for a term.", raft.leader_changes as f64);
    page.gauge("raft_term", "The term that this member is in.", raft.term as f64);
    page.gauge("raft_voters", "Members that vote.", raft.voters.len() as f64);
    page.gauge("raft_learners", "Members that follow and do not vote.", raft.learners.len() as f64);
    page.gauge("raft_members_changing", "Whether a change of members is half done.", flag(raft.is_changing));
    indices(page, raft);
    let lag = ["raft_replication_lag_entries", "Entries of the log that a member is not known to have, where this one leads.", "gauge"];
    page.labelled(lag, "member", raft.lag.iter().map(|(id, lag)| (id, *lag as f64)));
}

/// Those of entries that are there: an index of nothing would be that of the first one.
fn indices(page: &mut Page, raft: &RaftStatus) {
    if let Some(index) = raft.committed {
        page.counter("proposals_committed_total", "The index of the last entry known to be committed.", index as f64);
    }
    if let Some(index) = raft.applied {
        page.counter("proposals_applied_total", "The index of the last entry carried out.", index as f64);
    }
    for (name, help, index) in [
        ("raft_last_log_index", "The index of the last entry of the log.", raft.last_index),
        ("raft_snapshot_index", "The index of the last entry that the last snapshot has.", raft.snapshot),
        ("raft_purged_index", "The index of the last entry that was given up for a snapshot.", raft.purged),
    ] {
        if let Some(index) = index {
            page.gauge(name, help, index as f64);
        }
    }
}
