use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    consensus::{Metrics, Raft},
    pace::Pace,
    replica::Replica,
    unfinished::{Unfinished, finish},
};
use crate::{Error, Result, machine, machine::Command};

/// How long to wait after a try to take time over that failed.
const BREATH: Duration = Duration::from_millis(20);
/// How often to look at least.
const LOOK: Duration = Duration::from_millis(100);

/// Follows who leads: while this member does, it keeps the time of leases and finishes changes of members that nobody else does; it has
/// snapshots made where the log has grown.
pub(super) struct Leadership {
    pub(super) replica: Arc<Replica>,
    pub(super) pace: Arc<Pace>,
    pub(super) since_snapshot: Arc<AtomicU64>,
    pub(super) snapshot_bytes: u64,
}

impl Leadership {
    /// Works until the member stops.
    pub(super) async fn run(self) {
        let raft = self.replica.raft.clone();
        let mut metrics = raft.metrics();
        let (mut kept_in, mut silence, mut unfinished) = (None, Silence::default(), Unfinished::default());
        loop {
            let (leads_in, failure) = look(&metrics.borrow_and_update(), self.replica.id);
            if let Some(failure) = failure {
                return self.replica.shared.poison(&Error::Poisoned { reason: failure });
            }
            if self.pace.has_failed() {
                self.replica.shared.poison(&Error::Poisoned { reason: "the log's disk failed".to_owned() });
                // It has ended by itself where it was told.
                let _ = raft.shutdown().await;
                return;
            }
            match (leads_in, kept_in) {
                (Some(term), kept) if kept != Some(term) => {
                    // What was kept before says nothing of the time since.
                    self.replica.shared.give_time_up();
                    kept_in = self.take_time_over(term).await;
                    if kept_in.is_none() {
                        // Each try is news of its own, which must not be the reason for the next.
                        tokio::time::sleep(BREATH).await;
                    }
                }
                (None, _) => {
                    self.replica.shared.give_time_up();
                    kept_in = None;
                }
                _ => {}
            }
            self.pace.be_silent(silence.look(&metrics.borrow(), leads_in.is_some(), self.replica.election));
            self.end_leases();
            // Who asked for a change waits for so long.
            let patience = self.replica.request_timeout;
            if unfinished.look(&metrics.borrow(), leads_in.is_some(), patience) {
                tokio::spawn(finish(Arc::clone(&self.replica), patience));
            }
            self.make_snapshot(&raft).await;
            let wait = self.replica.shared.until_due().map_or(LOOK, |due| due.clamp(Duration::from_millis(1), LOOK));
            if let Ok(Err(_)) = tokio::time::timeout(wait, metrics.changed()).await {
                return;
            }
        }
    }

    /// Begins to keep the time of all leases, each from its whole TTL, once the state has what earlier leaders granted.
    async fn take_time_over(&self, term: u64) -> Option<u64> {
        let replica = &self.replica;
        self.pace.learn(&replica.raft.metrics().borrow());
        let index = tokio::time::timeout(replica.election, replica.reads.index()).await.ok()?.ok()?;
        let mut applied = replica.state.applied();
        tokio::time::timeout(replica.election, applied.wait_for(|applied| *applied >= index)).await.ok()?.ok()?;
        let taken = replica.shared.take_time_over(term, || self.leases());
        taken.inspect_err(|error| replica.shared.poison(error)).ok()?;
        tracing::info!(term, member = replica.id, "this member leads");
        Some(term)
    }

    fn leases(&self) -> Result<Vec<(crate::LeaseId, machine::LeaseRecord)>> {
        let mut leases = Vec::new();
        self.replica.state.view(&mut |rows| {
            leases = machine::leases(rows)?;
            Ok(())
        })?;
        Ok(leases)
    }

    /// Ends leases that nobody asks about. Nobody waits for it: who reads ends them first.
    fn end_leases(&self) {
        // Without a quorum they would only queue.
        if let Some(due) = self.replica.shared.due()
            && self.replica.has_quorum().is_ok()
        {
            tokio::spawn(self.replica.proposer.propose(Command::Expire(due)));
        }
    }

    async fn make_snapshot(&self, raft: &Raft) {
        if self.since_snapshot.load(Ordering::Relaxed) >= self.snapshot_bytes {
            self.since_snapshot.store(0, Ordering::Relaxed);
            // A member that stopped is seen at the next look.
            let _ = raft.trigger().snapshot().await;
        }
    }
}

/// When a leader that hears of no quorum is silent.
///
/// Those who hear a leader turn candidates down, so that one who is heard and hears nobody would keep the whole cluster from electing
/// another for as long as the network is like that. It is silent for longer than an election takes, and speaks for a while again, because
/// it may be the only one whose log is long enough to lead.
#[derive(Default)]
struct Silence {
    since: Option<Instant>,
}

impl Silence {
    /// Whether to be silent now.
    fn look(&mut self, metrics: &Metrics, leads: bool, election: Duration) -> bool {
        let heard = Duration::from_millis(metrics.millis_since_quorum_ack.unwrap_or(0));
        if !leads || heard <= election * 2 {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        let periods = since.elapsed().as_millis() / (election * 2).as_millis().max(1);
        // Two of three, the first two among them.
        periods % 3 < 2
    }
}

/// The term that this member leads in, and why it stopped.
fn look(metrics: &Metrics, id: u64) -> (Option<u64>, Option<String>) {
    let leads = metrics.state.is_leader() && metrics.current_leader == Some(id);
    (leads.then_some(metrics.current_term), metrics.running_state.as_ref().err().map(ToString::to_string))
}
