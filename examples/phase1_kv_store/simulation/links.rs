use jarre_kv_store::testing::nemesis::{Dice, Grudge, Network, Shape};

use crate::deployment::Micros;

/// A link of one data centre, in microseconds: 0.4 ms, and 0.2 ms more on average. Nothing is lost or doubled but by a cut, as on TCP.
const LINK: Shape = Shape { least_delay: 400, mean_delay: 200.0, ..Shape::PERFECT };

/// The links between nodes.
pub(crate) struct Links {
    network: Network,
    /// By node, what is added to each message from and to it.
    slow: Vec<Micros>,
    /// By sender and receiver, when the last message arrives: none overtakes another.
    last: Vec<Vec<Micros>>,
}

impl Links {
    pub(super) fn new(nodes: usize) -> Self {
        Self { network: Network::new(nodes, LINK), slow: vec![0; nodes], last: vec![vec![0; nodes]; nodes] }
    }

    pub(super) fn cut(&mut self, grudge: Grudge) {
        self.network.grudge = grudge;
    }

    /// Nothing is cut any more, and no node is slow.
    pub(super) fn heal(&mut self) {
        self.network.grudge = Grudge::none(self.slow.len());
        self.slow.fill(0);
    }

    pub(super) fn slow(&mut self, node: usize, by: Micros) {
        self.slow[node] = by;
    }

    pub(super) fn slow_all(&mut self, by: Micros) {
        self.network.shape.least_delay = LINK.least_delay + by;
    }

    pub(super) fn arrives(&self, from: usize, to: usize) -> bool {
        self.network.arrives(from, to)
    }

    /// When a message that is sent now arrives.
    pub(super) fn send(&mut self, now: Micros, from: usize, to: usize, dice: &mut Dice) -> Vec<Micros> {
        let arrivals = self.network.send(now, from, to, dice);
        let in_order = arrivals.into_iter().map(|at| {
            let at = (at + self.slow[from] + self.slow[to]).max(self.last[from][to]);
            self.last[from][to] = at;
            at
        });
        in_order.collect()
    }
}
