//! **UNSAFE, on purpose.** Three ways to replicate that lose acknowledged writes. They are kept for one reason: so that the demonstrations
//! can show what a quorum buys beside what its absence costs. Nothing outside of this example can reach them; keep no data in them.
//!
//! [`Naive`] is a primary with backups: it acknowledges before anybody else has a write, a backup that hears no heartbeat makes itself the
//! primary, there are no terms, and two primaries that meet again merge what they have by the time of the last write.
//!
//! [`AsyncTerm`] elects its leader by a majority, as Raft does, and fences an old one by its term; but it acknowledges before it replicates.
//!
//! Both replicate a few milliseconds later, when they next look at the time.
//!
//! [`Unsynced`] waits for a majority, with writes and with reads; but the majority has them in memory.

mod async_term;
mod election;
mod log;
mod naive;
mod unsynced;

pub(crate) use async_term::AsyncTerm;
pub(crate) use naive::Naive;
pub(crate) use unsynced::Unsynced;

use crate::deployment::{MILLI, Micros};

/// How often a leader says that it is there.
const HEARTBEAT: Micros = 50 * MILLI;
/// Without a word of a leader for so long, others begin to act; and so does a leader without a word of a majority.
const SILENCE: Micros = 150 * MILLI;

#[cfg(test)]
mod tests;
