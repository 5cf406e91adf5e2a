//! What a record means: what was lost, whether one copy of the data could have answered so, and how old answers were.

mod linearizable;
mod lost;
mod reigns;
mod staleness;

pub(crate) use linearizable::{Verdict, verdict};
pub(crate) use lost::{Tally, tally};
pub(crate) use reigns::{both_lead, two_of_one_term};
pub(crate) use staleness::{Staleness, staleness};

#[cfg(test)]
mod tests;
