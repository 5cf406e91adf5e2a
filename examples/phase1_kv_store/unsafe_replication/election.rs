use std::collections::BTreeSet;

use jarre_kv_store::testing::nemesis::Dice;

use super::SILENCE;
use crate::deployment::Micros;

/// What a node of [`AsyncTerm`](super::AsyncTerm) knows of terms and votes. Terms and votes are on disk before anybody hears of them.
#[derive(Clone, Debug)]
pub(super) struct Election {
    pub(super) term: u64,
    voted: Option<usize>,
    pub(super) role: Role,
    /// When a leader of this term was last heard.
    pub(super) heard: Micros,
    /// When it stands for election.
    deadline: Micros,
    dice: Dice,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Follower { leader: Option<usize> },
    Candidate { votes: BTreeSet<usize> },
    Leader,
}

impl Election {
    /// A node that stands for election at `deadline` at first.
    pub(super) fn new(deadline: Micros, seed: u64) -> Self {
        let role = Role::Follower { leader: None };
        Self { term: 0, voted: None, role, heard: 0, deadline, dice: Dice::new(seed) }
    }

    /// Follows whoever leads in `term`, where that is later than its own.
    pub(super) fn see(&mut self, now: Micros, term: u64) {
        if term > self.term {
            (self.term, self.voted) = (term, None);
            self.step_down(now);
        }
    }

    /// Follows `leader`, which was heard in this term.
    pub(super) fn follow(&mut self, now: Micros, leader: usize) {
        self.role = Role::Follower { leader: Some(leader) };
        self.heard = now;
        self.wait(now);
    }

    /// Whether a candidate gets this node's vote. Whoever has just heard a leader does not even look at the term (Raft thesis, section
    /// 4.2.3), so that a node that was cut off cannot depose a leader that is well.
    pub(super) fn vote(&mut self, now: Micros, term: u64, candidate: usize, is_current: bool) -> Option<bool> {
        let is_led = matches!(self.role, Role::Follower { leader: Some(_) }) && now - self.heard < SILENCE;
        if is_led || self.role == Role::Leader {
            return None;
        }
        self.see(now, term);
        let grants = term == self.term && is_current && self.voted.is_none_or(|voted| voted == candidate);
        if grants {
            self.voted = Some(candidate);
            self.wait(now);
        }
        Some(grants)
    }

    /// Stands for election in the next term where its time has come.
    pub(super) fn stands(&mut self, now: Micros, id: usize) -> bool {
        let due = now >= self.deadline && self.role != Role::Leader;
        if due {
            self.term += 1;
            self.voted = Some(id);
            self.role = Role::Candidate { votes: BTreeSet::from([id]) };
            self.wait(now);
        }
        due
    }

    /// A vote for it in `term`; whether it leads by that.
    pub(super) fn elected(&mut self, term: u64, by: usize, majority: usize) -> bool {
        let Role::Candidate { votes } = &mut self.role else { return false };
        votes.insert(by);
        let elected = term == self.term && votes.len() >= majority;
        if elected {
            self.role = Role::Leader;
        }
        elected
    }

    /// It no longer leads, and knows of nobody who does.
    pub(super) fn step_down(&mut self, now: Micros) {
        self.role = Role::Follower { leader: None };
        self.wait(now);
    }

    fn wait(&mut self, now: Micros) {
        self.deadline = now + SILENCE + self.dice.below(SILENCE);
    }
}
