use std::collections::{BTreeMap, BTreeSet};

use openraft::{
    ChangeMembers,
    error::{ChangeMembershipError, ClientWriteError, RaftError},
};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    consensus::{Address, Metrics},
    pace::{HandOver, Pace},
    peers::Lane,
    replica::{Replica, leader},
    rpc::{Ask, Failure, LeaderAsk, LeaderReply},
};
use crate::{Error, Member, Result};

impl Replica {
    /// Every member, as far as this one knows.
    pub(super) fn known_members(&self) -> Vec<Member> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let members = metrics.membership_config.membership();
        let voters: BTreeSet<u64> = members.voter_ids().collect();
        let member =
            |(id, at): (&u64, &Address)| Member { id: *id, peer: at.peer.clone(), client: at.client.clone(), voter: voters.contains(id) };
        members.nodes().map(member).collect()
    }

    /// Every member, as far as this one knows, and which life of it.
    pub(super) fn lives(&self) -> Vec<(u64, u64)> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        metrics.membership_config.membership().nodes().map(|(id, at)| (*id, at.life)).collect()
    }

    pub(super) async fn change_members(&self, ask: LeaderAsk) -> Result<()> {
        match self.by_leader(ask).await? {
            LeaderReply::Changed => Ok(()),
            _ => Err(Error::Unknown { reason: "the leader answered something else than was asked".to_owned() }),
        }
    }

    pub(super) async fn add_member(&self, member: Member, deadline: Instant) -> Result<LeaderReply, Failure> {
        self.leads()?;
        let known = self.known_members();
        if known.iter().any(|known| known.id == member.id || known.peer == member.peer) {
            return Err(Failure::Invalid(format!("member {} at {} belongs to the cluster already", member.id, member.peer)));
        }
        let limit = deadline.saturating_duration_since(Instant::now());
        let met = self.peers.meet(member.id, &member.peer, limit.min(self.election * 2)).await;
        let met = met.map_err(|error| Failure::Invalid(format!("member {} at {}: {error}", member.id, member.peer)))?;
        // Who was added before, or was to be, and has its folder still, comes back as who it was.
        if !met.knows.is_empty() && !self.lives().iter().any(|known| met.knows.contains(known)) {
            return Err(Failure::Invalid(format!("member {} belongs to another cluster: start it with an empty folder", member.id)));
        }
        let address = Address { peer: member.peer, client: member.client, life: met.life };
        let nodes = ChangeMembers::AddNodes(BTreeMap::from([(member.id, address)]));
        self.change(nodes, deadline).await?;
        if member.voter {
            self.wait_for_line_rate(member.id, deadline).await?;
            self.change(ChangeMembers::AddVoterIds(BTreeSet::from([member.id])), deadline).await?;
        }
        Ok(LeaderReply::Changed)
    }

    pub(super) async fn promote_member(&self, id: u64, deadline: Instant) -> Result<LeaderReply, Failure> {
        self.leads()?;
        self.known(id)?;
        self.wait_for_line_rate(id, deadline).await?;
        self.change(ChangeMembers::AddVoterIds(BTreeSet::from([id])), deadline).await
    }

    /// Takes a member out. One that leads lets another lead first: it could end as the only one that has the entry by which it does not vote
    /// any more. Then it turns down all whose logs are shorter, openraft lets nobody stand for election that does not vote, and the others may
    /// need its vote.
    pub(super) async fn remove_member(&self, id: u64, deadline: Instant) -> Result<LeaderReply, Failure> {
        self.leads()?;
        let member = self.known(id)?;
        if member.voter {
            if self.known_members().iter().filter(|member| member.voter).count() == 1 {
                return Err(Failure::Invalid("the last member that votes stays".to_owned()));
            }
            let goes_itself = id == self.id;
            #[cfg(feature = "mutants")]
            let goes_itself = goes_itself && !crate::mutants::Mutant::RemovedLeaderLeadsOn.is_in();
            if goes_itself {
                self.hand_over(deadline).await?;
                // Who leads now is asked.
                return Err(Failure::NotLeader);
            }
            return self.change(ChangeMembers::RemoveVoters(BTreeSet::from([id])), deadline).await;
        }
        self.change(ChangeMembers::RemoveNodes(BTreeSet::from([id])), deadline).await
    }

    /// Whether this member votes once a change that is under way is done.
    pub(super) fn stays(&self) -> bool {
        stay(&self.raft.metrics().borrow()).contains(&self.id)
    }

    /// Lets the follower that is furthest stand for election. openraft 0.9 has no hand-over of leadership: voters turn candidates down as
    /// long as they have heard from a leader lately, so that this member first stops to be heard. Proposals wait meanwhile, for whoever leads
    /// then.
    pub(super) async fn hand_over(&self, deadline: Instant) -> Result<LeaderReply, Failure> {
        self.leads()?;
        let Some((id, at)) = self.furthest_follower() else { return Err(Failure::NoQuorum) };
        let _aside = Aside::new(&self.pace);
        let handed_over = timeout_at(deadline, self.stand_aside_for(id, &at)).await;
        handed_over.map(|()| LeaderReply::Changed).map_err(|_| Failure::NoQuorum)
    }

    async fn stand_aside_for(&self, id: u64, at: &Address) {
        let mut metrics = self.raft.metrics();
        // Should it not get the last entries, another may be elected that has them.
        let _ = timeout(self.election, metrics.wait_for(|metrics| has_all(metrics, id))).await;
        self.pace.hand_over(HandOver::Silent);
        let taken = |metrics: &Metrics| metrics.current_leader.is_some_and(|leader| leader != self.id);
        // So long voters listen to no candidate.
        let mut patience = self.election * 2;
        while timeout(patience, metrics.wait_for(taken)).await.is_err() {
            // A candidate that was turned down, as by those whose clocks are slow, tries again before this member stands itself.
            let _ = self.peers.ask(Lane::Requests, id, at, &Ask::Elect, self.election).await;
            patience = self.election / 4;
        }
    }

    fn furthest_follower(&self) -> Option<(u64, Address)> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let voters = stay(&metrics);
        let followers = metrics.replication.iter().flatten().filter(|(id, _)| **id != self.id && voters.contains(id));
        let (id, _) = followers.max_by_key(|(_, matching)| matching.map(|matching| matching.index))?;
        Some((*id, metrics.membership_config.membership().get_node(id)?.clone()))
    }

    /// Waits until a follower has nearly all that this member has, so that the cluster does not wait for it once it votes.
    async fn wait_for_line_rate(&self, id: u64, deadline: Instant) -> Result<(), Failure> {
        let mut metrics = self.raft.metrics();
        let caught_up = metrics.wait_for(|metrics| {
            let matching = metrics.replication.as_ref().and_then(|replication| *replication.get(&id)?);
            metrics.replication.is_none() || matching.is_some_and(|id| id.index + LINE_RATE >= metrics.last_log_index.unwrap_or(0))
        });
        let behind = || Failure::Unknown(format!("member {id} follows, and has not caught up in time: promote it later"));
        timeout_at(deadline, caught_up).await.map_err(|_| behind())?.map(drop).map_err(|_| behind())
    }

    async fn change(&self, change: ChangeMembers<u64, Address>, deadline: Instant) -> Result<LeaderReply, Failure> {
        let unknown = || Failure::Unknown("the members did not agree in time".to_owned());
        // Joint consensus: the members before and after must both agree.
        match timeout_at(deadline, self.raft.change_membership(change, false)).await.map_err(|_| unknown())? {
            Ok(_) => Ok(LeaderReply::Changed),
            Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(ChangeMembershipError::InProgress(_)))) => {
                Err(Failure::Invalid("another change is under way: wait for it".to_owned()))
            }
            Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(error))) => Err(Failure::Invalid(error.to_string())),
            Err(_) => Err(unknown()),
        }
    }

    fn leads(&self) -> Result<(), Failure> {
        let leads = leader(&self.raft.metrics().borrow()).is_some_and(|(id, _)| id == self.id);
        if leads { Ok(()) } else { Err(Failure::NotLeader) }
    }

    fn known(&self, id: u64) -> Result<Member, Failure> {
        let known = self.known_members().into_iter().find(|member| member.id == id);
        known.ok_or_else(|| Failure::Invalid(format!("there is no member {id}")))
    }
}

/// A leader that takes nothing on, for as long as this lives: whoever asked for it may not wait for the end.
struct Aside<'a>(&'a Pace);

impl<'a> Aside<'a> {
    fn new(pace: &'a Pace) -> Self {
        pace.hand_over(HandOver::Begun);
        Self(pace)
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        #[cfg(feature = "mutants")]
        if crate::mutants::Mutant::HandOverLeavesLeaderUnheard.is_in() {
            return self.0.hand_over(HandOver::Silent);
        }
        self.0.hand_over(HandOver::Not);
    }
}

/// Who votes once a change that is under way is done.
fn stay(metrics: &Metrics) -> BTreeSet<u64> {
    metrics.membership_config.membership().get_joint_config().last().cloned().unwrap_or_default()
}

/// Whether a follower has all that this leader has.
fn has_all(metrics: &Metrics, id: u64) -> bool {
    let matching = metrics.replication.as_ref().and_then(|replication| *replication.get(&id)?);
    matching.map(|matching| matching.index) == metrics.last_log_index
}

/// Entries that a follower may be behind when it is let vote.
const LINE_RATE: u64 = 100;
