use std::collections::BTreeMap;

/// How a member of a cluster stands in Raft, as far as it knows by itself: nobody is asked.
///
/// Indices are those of the log, whose first entry is 0; `None` says that there is no such entry yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RaftStatus {
    /// The term that it is in.
    pub term: u64,
    /// Who leads. `None` also where this member led, and has not heard of a majority for as long as the election of another takes.
    pub leader: Option<u64>,
    /// Whether it believes to lead itself, which it may for a while when it is cut off.
    pub is_leader: bool,
    /// Whether it follows and does not vote.
    pub is_learner: bool,
    /// How often it saw another leader, or the same one in another term, since it was started.
    pub leader_changes: u64,
    /// The last entry of its log.
    pub last_index: Option<u64>,
    /// The last entry that it knows a majority to have.
    pub committed: Option<u64>,
    /// The last entry that it has carried out.
    pub applied: Option<u64>,
    /// The last entry that its last snapshot has.
    pub snapshot: Option<u64>,
    /// The last entry that it has given up.
    pub purged: Option<u64>,
    /// Members that vote, in order; while members change, those before and after.
    pub voters: Vec<u64>,
    /// Whether members change, so that of those before and of those after a majority each must agree.
    pub is_changing: bool,
    /// Members that only follow, in order.
    pub learners: Vec<u64>,
    /// Where it leads, how many entries of its log each other member is not known to have.
    pub lag: BTreeMap<u64, u64>,
}

/// Tells of a member's part in Raft at any time, without asking anybody: what its server shows of it.
pub trait RaftMember: Send + Sync {
    /// The term that it is in. It costs next to nothing.
    fn term(&self) -> u64;

    /// All that it knows.
    fn raft_status(&self) -> RaftStatus;
}
