//! Defects that stores have had, to be put in on purpose: a test suite that does not find them tests too little.
//!
//! Each holds for the thread that put it in, which a simulation never leaves. Without the feature `mutants` nothing of it is compiled.

use std::cell::Cell;

/// A defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mutant {
    /// A vote counts before it is on disk.
    VoteBeforeSync,
    /// Entries are acknowledged before they are on disk.
    AppendBeforeSync,
    /// Damage in the middle of the log is cut off as if it were a torn write.
    DamageTakenForTornTail,
    /// A follower's acknowledgement counts though the leader's own disk does not have the entry.
    LeaderOutrunsItsDisk,
    /// A leader that votes alone, because all others were removed, counts entries that its disk does not have yet.
    LoneLeaderOutrunsItsDisk,
    /// A leader that was started again leads on in its term.
    LeadershipOutlivesProcess,
    /// A quorum's answer serves readers that came after it was asked.
    ReadIndexForLateReaders,
    /// A leader answers reads without asking a quorum.
    ReadWithoutQuorum,
    /// A read does not wait until the state is as new as it must be.
    ReadBeforeApplied,
    /// A read that may be stale may be so forever.
    StaleForever,
    /// A lease is kept alive by a leader that does not ask whether it still is one.
    KeepAliveWithoutQuorum,
    /// A new leader does not give leases their whole time.
    LeaseShortenedByNewLeader,
    /// A request whose answer was lost is taken for one that was not carried out, and made again.
    RetryAfterAmbiguity,
    /// A request that is not answered in time is said not to have been carried out.
    TimeoutIsFailure,
    /// A session's request is carried out as often as it comes.
    SessionSequenceIgnored,
    /// Snapshots leave sessions out.
    SnapshotWithoutSessions,
    /// A snapshot is installed without the entry that it stands for.
    SnapshotWithoutApplied,
    /// A watch that reads in parts leaves out the first revision of each further part.
    WatchSkipsAtBoundary,
    /// A member that lost its folder is let in under its old name.
    WipedMemberLetIn,
    /// A leader that lost its lead never takes proposals again in the place of those whose outcome it never heard of.
    LostProposalsKeepTheirPlaces,
    /// A leader that was asked to hand over sends no heartbeats when it leads again.
    HandOverLeavesLeaderUnheard,
    /// A change of members whose leader is gone after the first of two steps is left there.
    ChangeLeftUnfinished,
    /// A leader that is removed writes the entry for it itself, and may be the only one that has it.
    RemovedLeaderLeadsOn,
}

thread_local! {
    static PUT_IN: Cell<Option<Mutant>> = const { Cell::new(None) };
}

impl Mutant {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::VoteBeforeSync,
        Self::AppendBeforeSync,
        Self::DamageTakenForTornTail,
        Self::LeaderOutrunsItsDisk,
        Self::LoneLeaderOutrunsItsDisk,
        Self::LeadershipOutlivesProcess,
        Self::ReadIndexForLateReaders,
        Self::ReadWithoutQuorum,
        Self::ReadBeforeApplied,
        Self::StaleForever,
        Self::KeepAliveWithoutQuorum,
        Self::LeaseShortenedByNewLeader,
        Self::RetryAfterAmbiguity,
        Self::TimeoutIsFailure,
        Self::SessionSequenceIgnored,
        Self::SnapshotWithoutSessions,
        Self::SnapshotWithoutApplied,
        Self::WatchSkipsAtBoundary,
        Self::WipedMemberLetIn,
        Self::LostProposalsKeepTheirPlaces,
        Self::HandOverLeavesLeaderUnheard,
        Self::ChangeLeftUnfinished,
        Self::RemovedLeaderLeadsOn,
    ];

    /// Puts a defect into all stores of this thread, in place of the one before.
    pub fn put_in(mutant: Option<Self>) {
        PUT_IN.set(mutant);
    }

    pub(crate) fn is_in(self) -> bool {
        PUT_IN.get() == Some(self)
    }
}
