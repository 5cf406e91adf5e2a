//! Two runs side by side: pairs of their answers, what tells them apart, how sure that is, and whether one may take the other's place.

mod comparable;
mod comparison;
mod decision;
mod figure;
mod gate;
mod gate_report;
mod pairs;
mod policy;
#[cfg(feature = "html")]
mod report;
mod slices;
mod units;

pub use comparable::{Discrepancy, discrepancies};
pub use comparison::{Binary, Comparison, Options};
pub use decision::{Check, Decision};
pub use figure::{Figure, metrics};
pub use gate::{Gate, Side};
pub use pairs::{LeftOut, Pair, Pairs};
pub use policy::Policy;
#[cfg(feature = "html")]
pub use report::{ReportOptions, report};
pub use slices::Slice;
pub use units::Units;
