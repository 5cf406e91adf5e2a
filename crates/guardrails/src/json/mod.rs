//! JSON out of what models write: found, mended and fitted, each step told.
//!
//! [`Recovery`] takes the steps in turn and the cheapest way that is valid. Each can be had alone: [`extract()`] finds documents in prose,
//! fences and tags, [`repair()`] reads one that is nearly JSON, and [`coerce()`] fits its values to a schema. What was done is told with its
//! place and its price; what can be meant in two ways is refused.

mod check;
mod coerce;
mod extract;
mod fix;
mod recovery;
mod refusal;
mod repair;

pub use check::Check;
pub use coerce::{Change, ChangeKind, Coerced, coerce};
pub use extract::{Candidate, Origin, extract};
pub use fix::{Fix, FixKind};
pub use recovery::{Recovered, Recovery, RecoveryConfig, Step, Unrecovered};
pub use refusal::{Reason, Refusal};
pub use repair::{MAX_DEPTH, RepairConfig, Repaired, repair};
