use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jarre_core::BoxFuture;
use tokio::time::{Instant, timeout_at};

use super::{
    connection::NoReply,
    consensus::{Address, Metrics, Raft},
    pace::Pace,
    peers::{Lane, Peers},
    proposer::Proposer,
    reads::Reads,
    rpc::{Ask, Failure, LeaderAsk, LeaderReply, Reply},
    state_file::StateFile,
};
use crate::{
    Error, LeaseId, ReadLevel, Result,
    local::{Engine, Shared},
    machine::{Answer, Command, Response, Rows},
};

/// How long to wait at most before looking again who leads.
const LOOK: Duration = Duration::from_millis(50);

/// How long to wait at least.
const BREATH: Duration = Duration::from_millis(5);

/// A member as its own callers use it: what needs the leader is asked of it, wherever it is.
pub(super) struct Replica {
    pub(super) id: u64,
    pub(super) raft: Raft,
    pub(super) state: Arc<StateFile>,
    pub(super) shared: Arc<Shared>,
    pub(super) proposer: Proposer,
    pub(super) reads: Reads,
    pub(super) peers: Arc<Peers>,
    pub(super) pace: Arc<Pace>,
    /// After so much time without a quorum's answer a leader takes nothing on.
    pub(super) election: Duration,
    pub(super) request_timeout: Duration,
    /// When the state was last known to be as new as any.
    pub(super) fresh_at: Mutex<Option<Instant>>,
}

impl Replica {
    /// What the leader does with `ask`, tried until it is done or the time is over.
    pub(super) async fn by_leader(&self, ask: LeaderAsk) -> Result<LeaderReply> {
        let deadline = Instant::now() + self.request_timeout;
        let mut metrics = self.raft.metrics();
        loop {
            self.shared.sound()?;
            let leader = leader(&metrics.borrow_and_update());
            let failure = match leader {
                Some((id, _)) if id == self.id => self.here(ask.clone(), deadline).await,
                Some((id, at)) => self.there(id, &at, ask.clone(), deadline).await,
                None => Err(Failure::NoQuorum),
            };
            let failure = match failure {
                Ok(reply) => return Ok(reply),
                Err(Failure::NotLeader | Failure::NoQuorum) if Instant::now() >= deadline => Failure::NoQuorum,
                Err(Failure::NotLeader | Failure::NoQuorum) => {
                    // Nothing was done: a later try may find a leader. Each try makes openraft tell news, which must not start the next at once.
                    tokio::time::sleep(BREATH).await;
                    let _ = tokio::time::timeout(LOOK, metrics.changed()).await;
                    continue;
                }
                Err(failure) => failure,
            };
            return Err(failure.error(None));
        }
    }

    /// Does what only a leader can do, if this member is it.
    pub(super) async fn here(&self, ask: LeaderAsk, deadline: Instant) -> Result<LeaderReply, Failure> {
        match ask {
            LeaderAsk::CarryOut(command) => self.carry_out(command, deadline).await.map(LeaderReply::Answer),
            LeaderAsk::ReadIndex => {
                self.end_leases(deadline).await?;
                #[cfg(feature = "mutants")]
                if crate::mutants::Mutant::ReadWithoutQuorum.is_in() {
                    return Ok(LeaderReply::ReadFrom(0));
                }
                within(deadline, self.reads.index()).await.map(LeaderReply::ReadFrom)
            }
            LeaderAsk::KeepAlive(id) => {
                self.keeps_time()?;
                let ttl = self.shared.keep_alive(id);
                #[cfg(feature = "mutants")]
                if crate::mutants::Mutant::KeepAliveWithoutQuorum.is_in() {
                    return Ok(LeaderReply::KeptAlive(ttl));
                }
                // Another leader that was elected before gave the lease its whole time later than this did.
                within(deadline, self.reads.index()).await?;
                Ok(LeaderReply::KeptAlive(ttl))
            }
            LeaderAsk::Remaining(id) => {
                self.keeps_time()?;
                within(deadline, self.reads.index()).await?;
                Ok(LeaderReply::Remaining(self.shared.remaining(id)))
            }
            LeaderAsk::Add(member) => self.add_member(member, deadline).await,
            LeaderAsk::Promote(id) => self.promote_member(id, deadline).await,
            LeaderAsk::Remove(id) => self.remove_member(id, deadline).await,
            LeaderAsk::StepDown => self.hand_over(deadline).await,
        }
    }

    /// The same, if member `id` is.
    async fn there(&self, id: u64, at: &Address, ask: LeaderAsk, deadline: Instant) -> Result<LeaderReply, Failure> {
        let repeatable = matches!(ask, LeaderAsk::ReadIndex | LeaderAsk::KeepAlive(_) | LeaderAsk::Remaining(_));
        let left = deadline.saturating_duration_since(Instant::now());
        let limit = if repeatable { left.min(self.election) } else { left };
        match self.peers.ask(Lane::Requests, id, at, &Ask::Lead(ask), limit).await {
            Ok(Reply::Led(reply)) => Ok(reply),
            Ok(Reply::Failed(failure)) => Err(failure),
            Ok(other) => Err(Failure::Unknown(format!("the leader answered {other:?}"))),
            Err(NoReply::Unreachable(_)) => Err(Failure::NotLeader),
            Err(_) if repeatable => Err(Failure::NotLeader),
            #[cfg(feature = "mutants")]
            Err(_) if crate::mutants::Mutant::RetryAfterAmbiguity.is_in() => Err(Failure::NotLeader),
            Err(error) => Err(Failure::Unknown(error.to_string())),
        }
    }

    async fn carry_out(&self, command: Command, deadline: Instant) -> Result<Answer, Failure> {
        self.has_quorum()?;
        let unknown = || {
            #[cfg(feature = "mutants")]
            if crate::mutants::Mutant::TimeoutIsFailure.is_in() {
                return Failure::NoQuorum;
            }
            Failure::Unknown("no quorum of members answered in time".to_owned())
        };
        timeout_at(deadline, self.proposer.propose(command)).await.unwrap_or_else(|_| Err(unknown()))
    }

    /// Ends leases whose time is over, if it is this member that keeps time.
    async fn end_leases(&self, deadline: Instant) -> Result<(), Failure> {
        let Some(due) = self.shared.due() else { return Ok(()) };
        self.carry_out(Command::Expire(due), deadline).await.map(drop)
    }

    fn keeps_time(&self) -> Result<(), Failure> {
        if self.shared.keeps_time() { Ok(()) } else { Err(Failure::NotLeader) }
    }

    /// A leader that heard of no quorum for as long as it takes to elect another takes nothing on that it could not finish.
    pub(super) fn has_quorum(&self) -> Result<(), Failure> {
        let silent = self.raft.metrics().borrow().millis_since_quorum_ack;
        if silent.is_some_and(|millis| u128::from(millis) > self.election.as_millis()) { Err(Failure::NoQuorum) } else { Ok(()) }
    }

    /// Waits until this member's state is as new as any that was acknowledged before the call.
    async fn catch_up(&self) -> Result<()> {
        let began = Instant::now();
        let LeaderReply::ReadFrom(index) = self.by_leader(LeaderAsk::ReadIndex).await? else { return Err(strange()) };
        #[cfg(feature = "mutants")]
        if crate::mutants::Mutant::ReadBeforeApplied.is_in() {
            return Ok(());
        }
        let mut applied = self.state.applied();
        let reached = timeout_at(began + self.request_timeout, applied.wait_for(|applied| *applied >= index));
        reached.await.map_err(|_| Error::NoQuorum)?.map_err(|_| Error::Closed)?;
        let mut fresh_at = self.fresh_at.lock().unwrap_or_else(PoisonError::into_inner);
        *fresh_at = (*fresh_at).max(Some(began));
        Ok(())
    }

    async fn no_older_than(&self, max_age: Duration) -> Result<()> {
        #[cfg(feature = "mutants")]
        if crate::mutants::Mutant::StaleForever.is_in() {
            return Ok(());
        }
        let fresh_at = *self.fresh_at.lock().unwrap_or_else(PoisonError::into_inner);
        if max_age == Duration::MAX || fresh_at.is_some_and(|at| at.elapsed() <= max_age) { Ok(()) } else { self.catch_up().await }
    }
}

impl Engine for Replica {
    const KIND: &'static str = "cluster";

    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn view(&self, look: &mut dyn FnMut(&dyn Rows) -> Result<()>) -> Result<()> {
        self.state.view(look)
    }

    fn submit(&self, command: Command) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(async move {
            if matches!(command, Command::Expire(_)) {
                // What a leader found to be over, another one finds by itself.
                let deadline = Instant::now() + self.request_timeout;
                return match self.carry_out(command, deadline).await {
                    Err(Failure::NotLeader | Failure::NoQuorum) => Ok(Ok(Response::Expired(0))),
                    done => done.map_err(|failure| failure.error(None)),
                };
            }
            match self.by_leader(LeaderAsk::CarryOut(command)).await? {
                LeaderReply::Answer(answer) => Ok(answer),
                _ => Err(strange()),
            }
        })
    }

    fn bytes(&self) -> Option<u64> {
        self.state.bytes()
    }

    fn settle(&self, level: ReadLevel) -> Option<BoxFuture<'_, Result<()>>> {
        Some(Box::pin(async move {
            match level {
                ReadLevel::Linearizable => self.catch_up().await,
                ReadLevel::Lease => {
                    Err(Error::Unsupported("reads by a leader's lease: openraft 0.9 cannot promise one; read linearizable".into()))
                }
                ReadLevel::Stale { max_age } => self.no_older_than(max_age).await,
            }
        }))
    }

    fn keep_alive(&self, id: LeaseId) -> BoxFuture<'_, Result<Option<Duration>>> {
        Box::pin(async move {
            match self.by_leader(LeaderAsk::KeepAlive(id)).await? {
                LeaderReply::KeptAlive(ttl) => Ok(ttl),
                _ => Err(strange()),
            }
        })
    }

    fn remaining(&self, id: LeaseId) -> BoxFuture<'_, Result<Option<(Duration, Duration)>>> {
        Box::pin(async move {
            match self.by_leader(LeaderAsk::Remaining(id)).await? {
                LeaderReply::Remaining(found) => Ok(found),
                _ => Err(strange()),
            }
        })
    }

    fn leader(&self) -> Option<String> {
        leader(&self.raft.metrics().borrow()).map(|(_, at)| at.client.unwrap_or(at.peer))
    }
}

/// Who leads, as far as is known, and where that is.
pub(super) fn leader(metrics: &Metrics) -> Option<(u64, Address)> {
    let id = metrics.current_leader?;
    let at = metrics.membership_config.membership().get_node(&id)?;
    Some((id, at.clone()))
}

async fn within<T>(deadline: Instant, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout_at(deadline, work).await.unwrap_or(Err(Failure::NoQuorum))
}

fn strange() -> Error {
    Error::Unknown { reason: "the leader answered something else than was asked".to_owned() }
}
