use super::{Dice, Grudge};

/// A way to cut a network, by the names that Jepsen gave them; [`grudge`](Self::grudge) makes it concrete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Partition {
    /// The first half of the nodes, the smaller one, and the rest.
    Halves,
    /// As [`Halves`](Self::Halves), of the nodes in a random order.
    RandomHalves,
    /// One node, and the rest.
    One,
    /// As many random nodes as are less than a third, each group whole.
    MinorityThird,
    /// Each of some of those that believe to lead, alone, and the rest together. Nothing is cut where nobody believes that.
    Leaders,
    /// Every node hears a majority, and up to five nodes no two hear the same one. Of three nodes each hears one of the others, around a ring.
    MajoritiesRing,
    /// Random halves, and one node of the larger that talks with all.
    Bridge,
    /// One node, a believed leader where there is one, is heard by all and hears nobody.
    Deaf,
    /// One node, a believed leader where there is one, hears all and is heard by nobody.
    Mute,
}

impl Partition {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Halves,
        Self::RandomHalves,
        Self::One,
        Self::MinorityThird,
        Self::Leaders,
        Self::MajoritiesRing,
        Self::Bridge,
        Self::Deaf,
        Self::Mute,
    ];

    /// Who does not hear whom among `nodes`, of which `leaders` believe that they lead.
    ///
    /// # Panics
    /// Where a leader is no node.
    pub fn grudge(self, nodes: usize, leaders: &[usize], dice: &mut Dice) -> Grudge {
        let mut order: Vec<usize> = (0..nodes).collect();
        if self != Self::Halves {
            dice.shuffle(&mut order);
        }
        match self {
            Self::Halves | Self::RandomHalves => split(&order, nodes / 2),
            Self::One => split(&order, 1.min(nodes)),
            Self::MinorityThird => split(&order, nodes.saturating_sub(1) / 3),
            Self::Leaders => isolate(nodes, &some(leaders, dice)),
            Self::MajoritiesRing if nodes <= 5 => small_ring(&order),
            Self::MajoritiesRing => large_ring(&order),
            Self::Bridge => bridge(&order),
            Self::Deaf => one_way(nodes, target(&order, leaders, dice), |grudge, node, other| grudge.cut(other, node)),
            Self::Mute => one_way(nodes, target(&order, leaders, dice), Grudge::cut),
        }
    }
}

fn split(order: &[usize], at: usize) -> Grudge {
    let (few, many) = order.split_at(at);
    Grudge::between(order.len(), &[few, many])
}

fn isolate(nodes: usize, alone: &[usize]) -> Grudge {
    let rest: Vec<usize> = (0..nodes).filter(|node| !alone.contains(node)).collect();
    let groups: Vec<&[usize]> = alone.chunks(1).chain([rest.as_slice()]).collect();
    Grudge::between(nodes, &groups)
}

/// A random selection that is not empty where `from` is not.
fn some(from: &[usize], dice: &mut Dice) -> Vec<usize> {
    let mut from = from.to_vec();
    dice.shuffle(&mut from);
    from.truncate(1 + dice.below(from.len() as u64) as usize);
    from
}

fn target(order: &[usize], leaders: &[usize], dice: &mut Dice) -> Option<usize> {
    some(leaders, dice).first().or(order.first()).copied()
}

fn bridge(order: &[usize]) -> Grudge {
    let at = order.len() / 2;
    let mut grudge = split(order, at);
    if let Some(&bridge) = order.get(at) {
        for &other in order {
            grudge.mend(bridge, other);
            grudge.mend(other, bridge);
        }
    }
    grudge
}

fn one_way(nodes: usize, node: Option<usize>, cut: impl Fn(&mut Grudge, usize, usize)) -> Grudge {
    let mut grudge = Grudge::none(nodes);
    if let Some(node) = node {
        (0..nodes).for_each(|other| cut(&mut grudge, node, other));
    }
    grudge
}

/// Around a ring, the node in the middle of each stretch of a majority drops all outside of it.
fn small_ring(order: &[usize]) -> Grudge {
    let (nodes, majority) = (order.len(), order.len() / 2 + 1);
    let mut grudge = Grudge::none(nodes);
    for start in 0..nodes {
        let stretch: Vec<usize> = (start..start + majority).map(|at| order[at % nodes]).collect();
        let middle = stretch[majority / 2];
        order.iter().filter(|node| !stretch.contains(node)).for_each(|&outside| grudge.cut(outside, middle));
    }
    grudge
}

/// Links the two least linked nodes that are not linked, again and again, until each has as many as a majority needs.
fn large_ring(order: &[usize]) -> Grudge {
    let (nodes, needed) = (order.len(), order.len() / 2);
    let mut grudge = Grudge::between(nodes, &[]);
    loop {
        let links = |node: usize| grudge.sees(node).len() - 1;
        // Of those with equally few links, the first in the shuffled order.
        let mut by_links = order.to_vec();
        by_links.sort_by_key(|&node| links(node));
        let Some(&node) = by_links.first().filter(|&&node| links(node) < needed) else { return grudge };
        let other = by_links.iter().copied().find(|&other| other != node && !grudge.hears(node, other));
        let other = other.expect("a node with few links has somebody that it is not linked to");
        grudge.mend(node, other);
        grudge.mend(other, node);
    }
}
