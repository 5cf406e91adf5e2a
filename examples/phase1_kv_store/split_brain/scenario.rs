use clap::ValueEnum;
use jarre_kv_store::testing::nemesis::Grudge;
use serde::Serialize;

use crate::deployment::{MILLI, Micros};

/// How the network is cut. Nodes are named by letters, and A leads when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cut {
    /// A and B here, C, D and E there.
    Halves,
    /// A alone.
    Alone,
    /// A and B here, D and E there, and C talks with both sides.
    Bridge,
    /// All hear A, and A hears nobody.
    OneWay,
}

impl Cut {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Halves => "halves",
            Self::Alone => "alone",
            Self::Bridge => "bridge",
            Self::OneWay => "one-way",
        }
    }

    /// In words.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Halves => "A, B | C, D, E",
            Self::Alone => "A | B, C, D, E",
            Self::Bridge => "A, B | D, E, and C talks with both",
            Self::OneWay => "all hear A, A hears nobody",
        }
    }

    /// Of nodes in the order of their letters, how many stand on A's side; and from which on they stand on the other.
    pub(crate) fn sides(self) -> (usize, usize) {
        match self {
            Self::Halves => (2, 2),
            Self::Alone | Self::OneWay => (1, 1),
            Self::Bridge => (2, 3),
        }
    }

    /// Who does not hear whom, of nodes that stand in `order` by their letters.
    pub(crate) fn grudge(self, order: &[usize]) -> Grudge {
        let nodes = order.len();
        if self == Self::OneWay {
            let mut grudge = Grudge::none(nodes);
            order[1..].iter().for_each(|&other| grudge.cut(other, order[0]));
            return grudge;
        }
        let (here, there) = self.sides();
        let mut grudge = Grudge::between(nodes, &[&order[..here], &order[there..]]);
        for &bridge in &order[here..there] {
            for &other in order {
                grudge.mend(bridge, other);
                grudge.mend(other, bridge);
            }
        }
        grudge
    }
}

/// When what happens, from the moment when the clients begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Schedule {
    pub(crate) cut: Micros,
    /// When the old leader is asked for reads of each level.
    pub(crate) probe: Micros,
    pub(crate) heal: Micros,
    /// When the clients stop.
    pub(crate) stop: Micros,
    /// When what is left is compared.
    pub(crate) end: Micros,
}

impl Schedule {
    pub(crate) const DEFAULT: Self =
        Self { cut: 1_000 * MILLI, probe: 1_500 * MILLI, heal: 3_000 * MILLI, stop: 4_200 * MILLI, end: 5_000 * MILLI };
}
