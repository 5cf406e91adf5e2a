use std::{cmp::Reverse, collections::BTreeSet};

use super::Policy;
use crate::sequence::{Sequence, SequenceId};

/// The order of sequences: the lesser is admitted first and preempted last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// Overdue ones before all others.
    overdue: Reverse<bool>,
    /// Among those not overdue, where priorities count.
    priority: i32,
    arrival: SequenceId,
    pub(super) id: SequenceId,
}

impl Rank {
    pub(super) fn of(sequence: &Sequence, policy: Policy) -> Self {
        let prioritised = policy == Policy::Priority && !sequence.overdue;
        Self {
            overdue: Reverse(sequence.overdue),
            priority: if prioritised { sequence.priority } else { 0 },
            arrival: sequence.arrival,
            id: sequence.id,
        }
    }
}

/// The sequences that wait, by rank. Preempted ones are back at the place that their rank gives them: under first come, first served that
/// is before all that never ran.
#[derive(Clone, Debug, Default)]
pub(super) struct WaitingQueue {
    ranks: BTreeSet<Rank>,
}

impl WaitingQueue {
    pub(super) fn len(&self) -> usize {
        self.ranks.len()
    }

    pub(super) fn push(&mut self, rank: Rank) {
        self.ranks.insert(rank);
    }

    pub(super) fn remove(&mut self, rank: Rank) {
        self.ranks.remove(&rank);
    }

    pub(super) fn first(&self) -> Option<Rank> {
        self.ranks.first().copied()
    }

    /// Those who came before `arrival`, and still wait.
    pub(super) fn earlier_than(&self, arrival: SequenceId) -> Vec<SequenceId> {
        self.ranks.iter().filter(|rank| rank.arrival < arrival && rank.overdue == Reverse(false)).map(|rank| rank.id).collect()
    }
}
