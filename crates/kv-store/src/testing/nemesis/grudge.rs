use std::collections::BTreeSet;

/// Which node drops whose packets. Nodes are numbers from 0; a link may be cut in one direction only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grudge {
    /// By receiver: the senders it does not hear.
    unheard: Vec<BTreeSet<usize>>,
}

impl Grudge {
    /// Everybody hears everybody.
    pub fn none(nodes: usize) -> Self {
        Self { unheard: vec![BTreeSet::new(); nodes] }
    }

    /// Nobody hears anybody of another group. A node that stands in no group hears none of the others and is not heard.
    pub fn between(nodes: usize, groups: &[&[usize]]) -> Self {
        let group = |node: usize| groups.iter().position(|group| group.contains(&node));
        let mut grudge = Self::none(nodes);
        for (from, to) in pairs(nodes) {
            if group(from).is_none() || group(from) != group(to) {
                grudge.cut(from, to);
            }
        }
        grudge
    }

    /// `to` no longer hears `from`. A node always hears itself.
    ///
    /// # Panics
    /// Where there is no node `to`.
    pub fn cut(&mut self, from: usize, to: usize) {
        if from != to {
            self.unheard[to].insert(from);
        }
    }

    /// `to` hears `from` again.
    ///
    /// # Panics
    /// Where there is no node `to`.
    pub fn mend(&mut self, from: usize, to: usize) {
        self.unheard[to].remove(&from);
    }

    /// Whether `to` hears `from`.
    ///
    /// # Panics
    /// Where there is no node `to`.
    pub fn hears(&self, to: usize, from: usize) -> bool {
        !self.unheard[to].contains(&from)
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.unheard.len()
    }

    /// Those that `node` can talk with, both ways and without a detour, itself included.
    pub fn sees(&self, node: usize) -> BTreeSet<usize> {
        (0..self.nodes()).filter(|&other| self.hears(node, other) && self.hears(other, node)).collect()
    }

    /// Whether `node` can talk with enough nodes, itself included, to decide something with them.
    pub fn sees_majority(&self, node: usize) -> bool {
        self.sees(node).len() > self.nodes() / 2
    }
}

/// All ordered pairs of different nodes.
pub(super) fn pairs(nodes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..nodes).flat_map(move |from| (0..nodes).map(move |to| (from, to))).filter(|(from, to)| from != to)
}
