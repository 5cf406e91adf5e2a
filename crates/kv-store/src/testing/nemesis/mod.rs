//! Network faults for simulated clusters: who does not hear whom, what becomes of a packet, and when that changes.
//!
//! Everything follows from a seed; times are in milliseconds of whoever simulates. The partitions are Jepsen's, by the same names; rates and
//! delays are of the kind that a `TigerBeetle` simulation draws.
//!
//! ```
//! use jarre_kv_store::testing::nemesis::{Dice, Network, Partition, Shape};
//!
//! let mut dice = Dice::new(7);
//! let mut network = Network::new(3, Shape::PERFECT);
//! assert_eq!(network.send(100, 0, 1, &mut dice), [100]);
//!
//! network.grudge = Partition::One.grudge(3, &[], &mut dice);
//! let alone = (0..3).find(|&node| !network.grudge.sees_majority(node)).unwrap();
//! assert!(network.send(200, alone, (alone + 1) % 3, &mut dice).is_empty());
//! ```

mod coverage;
mod dice;
mod grudge;
mod network;
mod partition;
mod schedule;

pub use coverage::Coverage;
pub use dice::Dice;
pub use grudge::Grudge;
pub use network::{Network, Shape};
pub use partition::Partition;
pub use schedule::{Fault, Plan, Schedule};
