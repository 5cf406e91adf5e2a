use super::{Dice, Partition, Shape};

/// A change of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Cut it this way; who leads is known only when the time has come.
    Partition(Partition),
    /// Nothing is cut any more.
    Mend,
    /// Packets fare this way from now on.
    Shape(Shape),
    /// One direction of one link holds packets back for so many milliseconds.
    Clog {
        /// The sender.
        from: usize,
        /// The receiver.
        to: usize,
        /// For how long.
        millis: u64,
    },
    /// Nothing is cut, shaped or clogged any more.
    Heal,
}

/// From what a [`Schedule`] is drawn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// How many nodes there are.
    pub nodes: usize,
    /// How long faults go on, in milliseconds; [`Fault::Heal`] comes at its end.
    pub millis: u64,
    /// The mean time between two faults, in milliseconds: 2,000.
    pub mean_interval: u64,
    /// The partitions to choose from: all.
    pub partitions: Vec<Partition>,
}

impl Plan {
    /// Faults among `nodes` for so long.
    pub fn new(nodes: usize, millis: u64) -> Self {
        Self { nodes, millis, mean_interval: 2_000, partitions: Partition::ALL.to_vec() }
    }

    /// With another mean time between faults.
    pub fn with_mean_interval(self, mean_interval: u64) -> Self {
        Self { mean_interval, ..self }
    }

    /// With these partitions alone.
    pub fn with_partitions(self, partitions: &[Partition]) -> Self {
        Self { partitions: partitions.to_vec(), ..self }
    }
}

/// What happens to the network, and when: times do not decrease, and the last fault is [`Fault::Heal`] at the end of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Times in milliseconds from the start.
    pub faults: Vec<(u64, Fault)>,
}

impl Schedule {
    /// The schedule that `seed` stands for under `plan`.
    pub fn new(seed: u64, plan: &Plan) -> Self {
        let mut dice = Dice::new(seed);
        let mut faults = Vec::new();
        let (mut now, mut is_cut) = (0, false);
        loop {
            now += 1 + dice.exponential(plan.mean_interval as f64);
            if now >= plan.millis {
                faults.push((plan.millis, Fault::Heal));
                return Self { faults };
            }
            let fault = draw(plan, is_cut, &mut dice);
            is_cut = matches!(fault, Fault::Partition(_)) || (is_cut && fault != Fault::Mend);
            faults.push((now, fault));
        }
    }
}

/// A cut is mended, or becomes another one, more often than not; what is whole is cut as often as it is slowed or clogged.
fn draw(plan: &Plan, is_cut: bool, dice: &mut Dice) -> Fault {
    match (dice.below(8), is_cut) {
        (0..4, true) => Fault::Mend,
        (0..4, false) | (4, true) if !plan.partitions.is_empty() => {
            Fault::Partition(plan.partitions[dice.below(plan.partitions.len() as u64) as usize])
        }
        (0..6, _) => Fault::Shape(Shape::random(dice)),
        _ => clog(plan.nodes, dice),
    }
}

fn clog(nodes: usize, dice: &mut Dice) -> Fault {
    let from = dice.below(nodes as u64) as usize;
    let other = (from + 1 + dice.below(nodes.saturating_sub(1) as u64) as usize) % nodes.max(1);
    Fault::Clog { from, to: other, millis: dice.exponential(1_000.0) }
}
