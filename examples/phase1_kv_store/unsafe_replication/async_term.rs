use std::collections::{BTreeMap, BTreeSet};

use super::{
    HEARTBEAT, SILENCE,
    election::{Election, Role},
    log::{Entry, Log},
};
use crate::{
    deployment::{MILLI, Micros},
    record::Claim,
    request::{Answer, Input, Level, Refusal, Request, Value},
    simulation::{Action, Node},
};

/// **UNSAFE.** A replica that elects its leader as Raft does, one for each term, and steps down when it hears no majority; but that
/// acknowledges a write when the leader alone has it.
#[derive(Clone, Debug)]
pub(crate) struct AsyncTerm {
    id: usize,
    nodes: usize,
    pub(super) election: Election,
    pub(super) log: Log,
    /// How many entries a majority has, as far as a leader has said so; it does not wait for that.
    pub(super) committed: usize,
    /// When the next heartbeat of a leader is due.
    beat: Micros,
    peers: Vec<Peer>,
}

/// What a leader knows of another.
#[derive(Clone, Copy, Debug)]
struct Peer {
    /// How many entries it was sent.
    sent: usize,
    /// How many of them it has.
    has: usize,
    heard: Micros,
    /// When that was sent which it answered last.
    answered: Micros,
}

#[derive(Clone, Debug)]
pub(crate) enum Message {
    /// Asks for a vote; the term of the last entry and how many there are say how current the candidate is.
    Ask {
        term: u64,
        last: (u64, usize),
    },
    Vote {
        term: u64,
        granted: bool,
    },
    /// The entries after the first `before`, the last of which is of `before_term`.
    Append {
        term: u64,
        before: usize,
        before_term: u64,
        entries: Vec<Entry>,
        committed: usize,
        /// When it is sent, by the leader's clock.
        at: Micros,
    },
    /// What came at `at` fits, so that it has as much; or the log from the first `needs` entries on is needed.
    Appended {
        term: u64,
        has: usize,
        needs: Option<usize>,
        at: Micros,
    },
}

impl AsyncTerm {
    /// A cluster of so many. The first stands for election first.
    pub(crate) fn cluster(nodes: usize, seed: u64) -> Vec<Self> {
        let node = |id| {
            let deadline = if id == 0 { 10 * MILLI } else { 2 * SILENCE };
            let election = Election::new(deadline, seed.wrapping_add(id as u64).wrapping_mul(0x9e37_79b9));
            let peers = vec![Peer { sent: 0, has: 0, heard: 0, answered: 0 }; nodes];
            Self { id, nodes, election, log: Log::default(), committed: 0, beat: 0, peers }
        };
        (0..nodes).map(node).collect()
    }

    fn majority(&self) -> usize {
        self.nodes / 2 + 1
    }

    fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let id = self.id;
        (0..self.nodes).filter(move |&node| node != id)
    }

    fn lead(&mut self, now: Micros) -> Vec<Action<Message>> {
        self.peers.fill(Peer { sent: self.log.len(), has: 0, heard: now, answered: 0 });
        self.beat = now + HEARTBEAT;
        self.append_to_others(now)
    }

    pub(super) fn append_to_others(&mut self, now: Micros) -> Vec<Action<Message>> {
        self.others().map(|to| self.append(now, to)).collect()
    }

    /// What `to` was not sent yet, and be it nothing.
    fn append(&mut self, now: Micros, to: usize) -> Action<Message> {
        let before = std::mem::replace(&mut self.peers[to].sent, self.log.len()).min(self.log.len());
        let (before_term, entries) = self.log.after(before);
        let (term, committed) = (self.election.term, self.committed);
        Action::Send { to, message: Message::Append { term, before, before_term, entries, committed, at: now } }
    }

    fn appended(&mut self, now: Micros, from: usize, has: usize, needs: Option<usize>, at: Micros) -> Vec<Action<Message>> {
        let peer = &mut self.peers[from];
        (peer.heard, peer.answered, peer.has) = (now, peer.answered.max(at), peer.has.max(has));
        let Some(needs) = needs.filter(|needs| *needs < peer.sent) else { return Vec::new() };
        peer.sent = needs;
        vec![self.append(now, from)]
    }

    /// Of a leader: how many entries a majority has, and until when a majority followed it.
    pub(super) fn majority_has(&self) -> (usize, Micros) {
        let nth = self.majority() - 2;
        let mut has: Vec<usize> = self.others().map(|node| self.peers[node].has).collect();
        let mut answered: Vec<Micros> = self.others().map(|node| self.peers[node].answered).collect();
        has.sort_unstable_by(|one, other| other.cmp(one));
        answered.sort_unstable_by(|one, other| other.cmp(one));
        (has[nth], answered[nth])
    }

    fn heard_by_majority(&self, now: Micros) -> bool {
        let heard = self.others().filter(|&node| now - self.peers[node].heard <= SILENCE).count();
        heard + 1 >= self.majority()
    }

    pub(super) fn refuse(&self) -> Answer {
        match self.election.role {
            Role::Follower { leader: Some(leader) } => Answer::Refused { reason: Refusal::NotLeader, hint: Some(leader) },
            _ => Answer::Refused { reason: Refusal::NoLeader, hint: None },
        }
    }

    fn read(&self, now: Micros, key: u8, level: Level) -> Answer {
        let value = self.log.records().get(&key).copied();
        match (&self.election.role, level) {
            (Role::Leader, _) => Answer::Value { value, age: matches!(level, Level::Stale { .. }).then_some(0) },
            (_, Level::Stale { max_age }) if now - self.election.heard <= max_age => {
                Answer::Value { value, age: Some(now - self.election.heard) }
            }
            (_, Level::Stale { .. }) => Answer::Refused { reason: Refusal::TooOld, hint: None },
            _ => self.refuse(),
        }
    }
}

impl Node for AsyncTerm {
    type Message = Message;

    fn tick(&mut self, now: Micros) -> Vec<Action<Message>> {
        if self.election.role == Role::Leader {
            if !self.heard_by_majority(now) {
                self.election.heard = now;
                self.election.step_down(now);
            } else if now >= self.beat || self.others().any(|node| self.peers[node].sent < self.log.len()) {
                self.beat = now + HEARTBEAT;
                return self.append_to_others(now);
            }
            return Vec::new();
        }
        if !self.election.stands(now, self.id) {
            return Vec::new();
        }
        let message = Message::Ask { term: self.election.term, last: self.log.last() };
        self.others().map(|to| Action::Send { to, message: message.clone() }).collect()
    }

    fn step(&mut self, now: Micros, from: usize, message: Message) -> Vec<Action<Message>> {
        let answer = |message| vec![Action::Send { to: from, message }];
        let majority = self.majority();
        match message {
            Message::Ask { term, last } => {
                let is_current = last >= self.log.last();
                let vote = self.election.vote(now, term, from, is_current);
                vote.map_or_else(Vec::new, |granted| answer(Message::Vote { term: self.election.term, granted }))
            }
            Message::Vote { term, granted } => {
                self.election.see(now, term);
                let leads = granted && self.election.elected(term, from, majority);
                if leads { self.lead(now) } else { Vec::new() }
            }
            Message::Append { term, .. } if term < self.election.term => {
                answer(Message::Appended { term: self.election.term, has: 0, needs: None, at: 0 })
            }
            Message::Append { term, before, before_term, entries, committed, at } => {
                self.election.see(now, term);
                self.election.follow(now, from);
                let needs = self.log.take(now, before, before_term, &entries);
                let has = if needs.is_none() { before + entries.len() } else { 0 };
                self.committed = self.committed.max(committed.min(has));
                answer(Message::Appended { term, has, needs, at })
            }
            Message::Appended { term, has, needs, at } => {
                self.election.see(now, term);
                let is_answer = self.election.role == Role::Leader && term == self.election.term;
                if is_answer { self.appended(now, from, has, needs, at) } else { Vec::new() }
            }
        }
    }

    fn request(&mut self, now: Micros, id: usize, request: &Request) -> Vec<Action<Message>> {
        let value = match request.input {
            Input::Read(level) => return vec![Action::Reply { id, answer: self.read(now, request.key, level) }],
            Input::Write(_) if self.election.role != Role::Leader => return vec![Action::Reply { id, answer: self.refuse() }],
            Input::Write(value) => value,
        };
        self.log.push(now, Entry { term: self.election.term, key: request.key, value });
        // The mistake: the answer waits for this disk and for nobody else.
        vec![Action::ReplyDurable { id, answer: Answer::Written }]
    }

    fn lose_after(&mut self, synced: Micros) {
        self.log.lose_after(synced);
        self.committed = self.committed.min(self.log.len());
    }

    fn restart(&mut self, now: Micros) {
        self.election.step_down(now);
    }

    fn claim(&self) -> Option<Claim> {
        (self.election.role == Role::Leader).then_some(Claim { term: Some(self.election.term) })
    }

    fn values(&self) -> BTreeMap<u8, Value> {
        self.log.records().clone()
    }

    /// The log of the leader of the latest term.
    fn surviving(nodes: &[Self]) -> BTreeSet<Value> {
        let leader = nodes.iter().filter(|node| node.election.role == Role::Leader).max_by_key(|node| node.election.term);
        leader.iter().flat_map(|leader| leader.log.values()).collect()
    }
}
