use std::collections::BTreeMap;

use super::{Dice, Grudge};

/// What becomes of packets on their way, the same for all links.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// The probability that a packet is lost, in 0 to 1.
    pub loss: f64,
    /// The probability that a packet that is not lost arrives twice, each time with a delay of its own.
    pub duplicates: f64,
    /// The least delay in milliseconds.
    pub least_delay: u64,
    /// The mean of what is added to it, exponentially distributed; so packets overtake one another.
    pub mean_delay: f64,
}

impl Shape {
    /// Everything arrives once and at once.
    pub const PERFECT: Self = Self { loss: 0.0, duplicates: 0.0, least_delay: 0, mean_delay: 0.0 };

    /// A network as a seed draws it: loss up to 0.3, duplicates up to 0.5, delays of 0 to 30 ms at least and up to 100 ms more on average.
    pub fn random(dice: &mut Dice) -> Self {
        Self { loss: dice.unit() * 0.3, duplicates: dice.unit() * 0.5, least_delay: dice.below(31), mean_delay: dice.unit() * 100.0 }
    }
}

/// The links between nodes: cut, slow, lossy, or clogged.
#[derive(Clone, Debug)]
pub struct Network {
    /// Who does not hear whom.
    pub grudge: Grudge,
    /// What becomes of packets.
    pub shape: Shape,
    /// Until when a link, by sender and receiver, holds packets back.
    clogs: BTreeMap<(usize, usize), u64>,
}

impl Network {
    /// Links between all `nodes`.
    pub fn new(nodes: usize, shape: Shape) -> Self {
        Self { grudge: Grudge::none(nodes), shape, clogs: BTreeMap::new() }
    }

    /// Holds back what `from` sends to `to` until the time `until`; then all of it arrives.
    pub fn clog(&mut self, from: usize, to: usize, until: u64) {
        let end = self.clogs.entry((from, to)).or_default();
        *end = until.max(*end);
    }

    /// Mends everything: nothing is cut, shaped or clogged. Packets that are under way already keep the times they were given.
    pub fn heal(&mut self) {
        *self = Self::new(self.grudge.nodes(), Shape::PERFECT);
    }

    /// When a packet that is sent at `now` arrives: never, once, or twice, in milliseconds on the same clock. Whether it is still heard then is
    /// to be asked then, with [`arrives`](Self::arrives), because a partition also swallows what is under way.
    ///
    /// # Panics
    /// Where there is no node `to`.
    pub fn send(&self, now: u64, from: usize, to: usize, dice: &mut Dice) -> Vec<u64> {
        if from == to {
            return vec![now];
        }
        let Shape { loss, duplicates, .. } = self.shape;
        if !self.arrives(from, to) || dice.happens(loss) {
            return Vec::new();
        }
        let copies = 1 + usize::from(dice.happens(duplicates));
        let free = self.clogs.get(&(from, to)).copied().unwrap_or(0);
        (0..copies).map(|_| (now + self.delay(dice)).max(free)).collect()
    }

    /// Whether `to` hears `from` now.
    ///
    /// # Panics
    /// Where there is no node `to`.
    pub fn arrives(&self, from: usize, to: usize) -> bool {
        self.grudge.hears(to, from)
    }

    fn delay(&self, dice: &mut Dice) -> u64 {
        self.shape.least_delay + dice.exponential(self.shape.mean_delay)
    }
}
