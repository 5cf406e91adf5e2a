use super::Grudge;

/// Whether a run met the partitions that matter most. A run that did not has shown little about split-brain, and should not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// A leader was cut off from every majority.
    pub leader_in_minority: bool,
    /// A leader kept a majority while others were cut off.
    pub leader_in_majority: bool,
}

impl Coverage {
    /// Notes a partition and who led when it began.
    ///
    /// # Panics
    /// Where `leader` is no node.
    pub fn note(&mut self, grudge: &Grudge, leader: usize) {
        let is_whole = (0..grudge.nodes()).all(|node| grudge.sees(node).len() == grudge.nodes());
        self.leader_in_minority |= !grudge.sees_majority(leader);
        self.leader_in_majority |= !is_whole && grudge.sees_majority(leader);
    }

    /// Whether both were met.
    pub fn is_complete(self) -> bool {
        self.leader_in_minority && self.leader_in_majority
    }
}
