use std::{
    collections::BTreeSet,
    fmt, io,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use jarre_core::BoxFuture;
use openraft::{CommittedLeaderId, Entry, EntryPayload, Vote};
use tokio::{sync::watch, time::timeout};

use super::{
    consensus::{Metrics, Types},
    state_file::StateFile,
};
use crate::{local::Shared, log::Observer};

/// How often to look whether the state still works while the log waits for it.
const LOOK: Duration = Duration::from_millis(100);

/// What the log's store, the proposer and the network know of each other.
///
/// It lets a leader send entries while its own disk still writes them, as Raft allows (Ongaro, section 10.2.1): openraft 0.9 would wait for
/// the disk before it sends.
///
/// openraft is told that entries are durable as soon as they are queued. So that it never counts this member's disk too early, no follower's
/// success reaches it before the disk of this member has all that the follower acknowledged: whatever a quorum that needs a follower agrees
/// on is on this disk too. What a leader alone could agree on, and what changes who the members are, it waits for. And a member that was
/// started again does not lead on in the term that it led in ([`storage`](super::storage)): it may have sent what it does not have any more.
pub(super) struct Pace {
    id: u64,
    state: Mutex<State>,
    /// The index behind the last entry that is on disk.
    durable: watch::Sender<u64>,
    has_failed: AtomicBool,
    is_silent: AtomicBool,
    handing_over: watch::Sender<HandOver>,
    /// The state, once it is open.
    state_file: OnceLock<(Arc<StateFile>, Arc<Shared>)>,
    /// The greatest number of a proposal of this member that its log took.
    appended: AtomicU64,
}

/// How far a leader has got that hands over to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HandOver {
    Not,
    /// It takes nothing on any more.
    Begun,
    /// It says nothing either, so that voters listen to a candidate.
    Silent,
}

#[derive(Debug, Default)]
struct State {
    vote: Vote<u64>,
    /// Whether this member could be a quorum by itself, and the entry by which that was decided; `None` where it is not known.
    alone: Option<(u64, bool)>,
}

impl Pace {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            state: Mutex::default(),
            durable: watch::Sender::new(0),
            has_failed: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            handing_over: watch::Sender::new(HandOver::Not),
            state_file: OnceLock::new(),
            appended: AtomicU64::new(0),
        }
    }

    /// What the log's entries are carried out on.
    pub(super) fn follows(&self, state: Arc<StateFile>, shared: Arc<Shared>) {
        // It is opened once.
        let _ = self.state_file.set((state, shared));
    }

    /// Whether proposal `number` of this member was ever in its log.
    pub(super) fn was_appended(&self, number: u64) -> bool {
        self.appended.load(SeqCst) >= number
    }

    /// Whether the log's disk has failed, which openraft may not have been told.
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(SeqCst)
    }

    /// Learns who the members are from someone else than the log.
    pub(super) fn learn(&self, metrics: &Metrics) {
        let members = metrics.membership_config.membership();
        let index = metrics.membership_config.log_id().map_or(0, |id| id.index);
        self.state().decide(index, self.is_alone(members.get_joint_config()));
    }

    /// Whether this member, which leads, says nothing, so that another one can be elected.
    pub(super) fn is_silent(&self) -> bool {
        self.is_silent.load(SeqCst) || *self.handing_over.borrow() == HandOver::Silent
    }

    pub(super) fn hand_over(&self, how_far: HandOver) {
        self.handing_over.send_replace(how_far);
    }

    /// Waits while this member hands over: what is proposed then would be lost, or its outcome unknown.
    pub(super) async fn takes_proposals(&self) {
        // It lives as long as its sender.
        let _ = self.handing_over.subscribe().wait_for(|how_far| *how_far == HandOver::Not).await;
    }

    pub(super) fn be_silent(&self, silent: bool) {
        self.is_silent.store(silent, SeqCst);
    }

    /// The term of the vote that is on disk.
    pub(super) fn voted_in(&self) -> u64 {
        self.state().vote.leader_id().term
    }

    /// Waits until entries up to before `index` are on disk.
    pub(super) async fn wait_for(&self, index: u64) {
        #[cfg(feature = "mutants")]
        if crate::mutants::Mutant::LeaderOutrunsItsDisk.is_in() {
            return;
        }
        // It lives as long as its sender.
        let _ = self.durable.subscribe().wait_for(|durable| *durable >= index).await;
    }

    fn is_alone(&self, configs: &[BTreeSet<u64>]) -> bool {
        configs.iter().all(|voters| voters.iter().eq([&self.id]))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer<Types> for Pace {
    fn appending(&self, entries: &[Entry<Types>]) -> bool {
        let mut state = self.state();
        let mut changes_members = false;
        for entry in entries {
            match &entry.payload {
                EntryPayload::Membership(members) => {
                    state.decide(entry.log_id.index, self.is_alone(members.get_joint_config()));
                    changes_members = true;
                }
                EntryPayload::Normal(proposal) if entry.log_id.leader_id.node_id == self.id => {
                    self.appended.fetch_max(proposal.number, SeqCst);
                }
                _ => {}
            }
        }
        let leads = state.vote.is_committed() && state.vote.leader_id().voted_for() == Some(self.id);
        let own = |entry: &Entry<Types>| entry.log_id.leader_id == CommittedLeaderId::from(state.vote);
        let is_alone = state.alone.is_none_or(|(_, alone)| alone);
        #[cfg(feature = "mutants")]
        let is_alone = is_alone && !crate::mutants::Mutant::LoneLeaderOutrunsItsDisk.is_in();
        !changes_members && leads && entries.iter().all(own) && !is_alone
    }

    fn reached(&self, index: u64) {
        self.durable.send_modify(|durable| *durable = (*durable).max(index));
    }

    /// openraft gives up the log as soon as it has asked for a snapshot to be installed: a crash before that is done would leave a state that
    /// nothing leads on from.
    fn purging(&self, index: u64) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            let Some((state, shared)) = self.state_file.get() else { return Ok(()) };
            let mut durable = state.durable();
            while timeout(LOOK, durable.wait_for(|durable| *durable >= index)).await.is_err() {
                shared.sound().map_err(io::Error::other)?;
            }
            Ok(())
        })
    }

    fn failed(&self) {
        self.has_failed.store(true, SeqCst);
    }

    fn voted(&self, vote: &Vote<u64>) {
        self.state().vote = *vote;
    }

    fn cut(&self, index: u64) {
        self.durable.send_modify(|durable| *durable = (*durable).min(index));
        let mut state = self.state();
        if state.alone.is_some_and(|(decided, _)| decided >= index) {
            state.alone = None;
        }
    }
}

impl State {
    fn decide(&mut self, index: u64, alone: bool) {
        if self.alone.is_none_or(|(decided, _)| decided <= index) {
            self.alone = Some((index, alone));
        }
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("id", &self.id).field("durable", &*self.durable.borrow()).finish_non_exhaustive()
    }
}
