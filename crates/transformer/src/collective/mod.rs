//! Collective operations over workers of one host: what data-parallel training averages gradients with, and tensor-parallel layers share
//! activations with.
//!
//! Workers are processes (or threads) that run the same program with different ranks. They meet at an address, form a ring of TCP
//! connections over the loopback interface, and then make the same calls in the same order:
//!
//! ```
//! use jarre_transformer::collective::{Communicator, Rendezvous, RingConfig};
//!
//! // Port 0: any free port. Processes are told a port, or the address, by whoever starts them.
//! let rendezvous = Rendezvous::bind(&RingConfig::new(0, 2, "127.0.0.1:0".parse()?).with_token("secret"))?;
//! let config = RingConfig::new(1, 2, rendezvous.address()).with_token("secret");
//! let other = std::thread::spawn(move || {
//!     let mut gradients = [1.0, 2.0, 3.0];
//!     Communicator::connect(&config)?.all_reduce_mean(&mut gradients)?;
//!     Ok::<_, jarre_transformer::Error>(gradients)
//! });
//! let mut gradients = [3.0, 2.0, 1.0];
//! rendezvous.connect()?.all_reduce_mean(&mut gradients)?;
//! assert_eq!(gradients, [2.0, 2.0, 2.0]);
//! assert_eq!(other.join().expect("it does not panic")?, gradients);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # When something goes wrong
//! No call waits for ever. A worker that dies, leaves, stays silent for the timeout, or calls something else than its left neighbour makes
//! the others fail: who notices tells the right neighbour why and closes its connections, who sees that does the same. After an error a
//! communicator is of no more use; connect again. The last worker to notice may have finished the operation in which another failed,
//! and then learns of it in the next.
//!
//! Calls are compared with those of the left neighbour by name, length, root and number, before values are touched by what is not theirs.

mod config;
mod contract;
mod devices;
mod frame;
mod handshake;
mod incoming;
mod lobby;
mod outgoing;
mod patience;
mod place;
mod rendezvous;
mod ring;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use jarre_core::Clock;

pub use config::RingConfig;
pub use contract::Collective;
pub use devices::DeviceCollective;
pub use frame::{Call, FrameHeader, Operation};
pub use rendezvous::Rendezvous;

use self::{patience::Patience, place::Place, rendezvous::Neighbours, ring::Fault, ring::Ring};
use crate::{Error, Result};

/// One worker's end of the ring.
///
/// Every operation has to be called by all workers, and returns when this worker has its result. Beyond arguments and
/// results two MiB of memory are enough. A worker alone in its world is connected to nobody, and has every result at once.
///
/// Dropping it sends what is still queued, for as long as the right neighbour takes it, and leaves the ring.
pub struct Communicator {
    place: Place,
    link: Link,
    calls: u64,
    stats: CollectiveStats,
    clock: Arc<dyn Clock>,
    timeout: Duration,
}

/// What the operations of one worker have moved, and how long they stood still. The meeting at the start is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CollectiveStats {
    /// Operations that ended well.
    pub operations: u64,
    /// Bytes sent to the right neighbour, headers included.
    pub bytes_sent: u64,
    /// Bytes that came from the left neighbour, headers included.
    pub bytes_received: u64,
    /// Time in which bytes were waited for, or room to send some: that neighbours were late, or slower than this worker.
    pub waited: Duration,
    /// Time in operations, that in which they [waited](Self::waited) included.
    pub spent: Duration,
}

#[derive(Debug)]
enum Link {
    Alone,
    Ring(Box<Ring>),
    Broken(String),
}

impl Communicator {
    /// Meets the other workers. Rank 0 listens at the rendezvous, the others may come before it does.
    ///
    /// # Errors
    /// [`Collective`](Error::Collective), on every worker within the timeout, where a worker does not come or leaves, two have the same
    /// rank, sizes of the world, tokens or versions differ, the address is not of this host and remote workers were not allowed, or the
    /// system fails. Connections that do not know the token are turned away and otherwise ignored.
    pub fn connect(config: &RingConfig) -> Result<Self> {
        let place = config.place().map_err(|reason| Error::Collective { rank: config.stated_rank(), reason })?;
        if place.rank == 0 && place.world > 1 {
            return Rendezvous::bind(config)?.connect();
        }
        Self::meet(config, place, |patience| rendezvous::join(config, place, patience))
    }

    /// Which worker this is, from zero.
    pub fn rank(&self) -> usize {
        self.place.rank
    }

    /// How many workers there are.
    pub fn world_size(&self) -> usize {
        self.place.world
    }

    /// What was moved so far.
    pub fn stats(&self) -> CollectiveStats {
        self.stats
    }

    /// How long another worker may keep this one waiting.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Replaces `values` by their sums over all workers; the result has the same bits on all of them.
    ///
    /// A ring reduce-scatter and a ring all-gather: each worker sends `2 (n - 1) / n` times its values, the least that is possible
    /// (Patarasu and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", J. Parallel Distrib. Comput. 69(2),
    /// 2009). `values` are cut into `n` segments, of which the first `len % n` are one value longer; segment `j` is added up from the left
    /// in the order of ranks `j, j + 1, ..., n - 1, 0, ..., j - 1`. Two workers exchange all values at once, as many bytes in one step instead
    /// of two. Infinities and NaN spread as in any sum; what is no number is [`f32::NAN`] then.
    ///
    /// # Errors
    /// [`Collective`](Error::Collective) where a worker is lost, or calls something else or with another length. Then `values` hold
    /// anything between what they were and the sums.
    pub fn all_reduce_sum(&mut self, values: &mut [f32]) -> Result<()> {
        let call = self.call(Operation::AllReduceSum, 0, values.len());
        self.run(|| (), |ring| ring.all_reduce(&call, values, contract::add, |sum| sum))
    }

    /// Replaces integers by their sums over all workers, which wrap around where they do not fit.
    ///
    /// # Errors
    /// As [`all_reduce_sum`](Self::all_reduce_sum).
    pub fn all_reduce_sum_integers(&mut self, values: &mut [i32]) -> Result<()> {
        let call = self.call(Operation::AllReduceSumIntegers, 0, values.len());
        // On their way they are the bits of floats, which are moved and not computed with.
        let integer = |bits: f32| bits.to_bits().cast_signed();
        let mut bits: Vec<f32> = values.iter().map(|value| f32::from_bits(value.cast_unsigned())).collect();
        let combine = |sum: &mut f32, value: f32| *sum = f32::from_bits(integer(*sum).wrapping_add(integer(value)).cast_unsigned());
        self.run(|| (), |ring| ring.all_reduce(&call, &mut bits, combine, |sum| sum))?;
        values.iter_mut().zip(bits).for_each(|(value, bits)| *value = integer(bits));
        Ok(())
    }

    /// Replaces values that are not negative by the largest over all workers; NaN counts as larger than infinity.
    ///
    /// # Errors
    /// As [`all_reduce_sum`](Self::all_reduce_sum).
    pub fn all_reduce_max(&mut self, values: &mut [f32]) -> Result<()> {
        let call = self.call(Operation::AllReduceMax, 0, values.len());
        self.run(|| (), |ring| ring.all_reduce(&call, values, contract::keep_larger, |largest| largest))
    }

    /// Replaces `values` by their means over all workers: the sums of [`all_reduce_sum`](Self::all_reduce_sum), divided by the size of the
    /// world. Where a sum overflows, so does the mean.
    ///
    /// # Errors
    /// As [`all_reduce_sum`](Self::all_reduce_sum).
    pub fn all_reduce_mean(&mut self, values: &mut [f32]) -> Result<()> {
        let call = self.call(Operation::AllReduceMean, 0, values.len());
        let world = self.place.world as f32;
        self.run(|| (), |ring| ring.all_reduce(&call, values, contract::add, |sum| sum / world))
    }

    /// The values of all workers one after another, by rank. Workers may have different numbers of values.
    ///
    /// # Errors
    /// [`Collective`](Error::Collective) where a worker is lost or calls something else.
    pub fn all_gather(&mut self, mine: &[f32]) -> Result<Vec<f32>> {
        Ok(self.all_gather_parts(mine)?.concat())
    }

    /// The values of all workers, each worker's for itself, by rank.
    ///
    /// # Errors
    /// As [`all_gather`](Self::all_gather).
    pub fn all_gather_parts(&mut self, mine: &[f32]) -> Result<Vec<Vec<f32>>> {
        let call = self.call(Operation::AllGather, 0, mine.len());
        self.run(|| vec![mine.to_vec()], |ring| ring.all_gather(&call, mine))
    }

    /// Replaces `values` by those of rank `root`, which returns when all have them.
    ///
    /// # Errors
    /// [`Collective`](Error::Collective) where a worker is lost, or calls something else or with another length or root. Then `values` are
    /// in part replaced. Where there is no rank `root` nothing is sent, and the communicator can still be used.
    pub fn broadcast(&mut self, values: &mut [f32], root: usize) -> Result<()> {
        if root >= self.place.world {
            return Err(self.error(format!("there is no rank {root} to broadcast from in a world of {}", self.place.world)));
        }
        let call = self.call(Operation::Broadcast, root, values.len());
        self.run(|| (), |ring| ring.broadcast(&call, values, root))
    }

    /// Returns when all workers have called it.
    ///
    /// # Errors
    /// [`Collective`](Error::Collective) where a worker is lost or calls something else.
    pub fn barrier(&mut self) -> Result<()> {
        let call = self.call(Operation::Barrier, 0, 0);
        self.run(|| (), |ring| ring.barrier(&call))
    }

    fn meet(config: &RingConfig, place: Place, meet: impl FnOnce(&Patience) -> Result<Neighbours, String>) -> Result<Self> {
        let (clock, timeout) = (config.clock(), config.timeout);
        let mut communicator = Self { place, link: Link::Alone, calls: 0, stats: CollectiveStats::default(), clock, timeout };
        if place.world > 1 {
            let patience = config.patience();
            let ring = meet(&patience).and_then(|neighbours| {
                Ring::new(place, neighbours, &patience).map_err(|error| format!("its connections cannot be used: {error}"))
            });
            communicator.link = Link::Ring(Box::new(ring.map_err(|reason| communicator.error(reason))?));
            // Closed is the ring when a word has come around it.
            communicator.barrier()?;
            communicator.stats = CollectiveStats::default();
        }
        Ok(communicator)
    }

    fn call(&self, operation: Operation, root: usize, count: usize) -> Call {
        Call { operation, root: root as u32, sequence: self.calls, count: count as u64 }
    }

    /// Runs an operation on the ring; `alone` is what it gives without one.
    fn run<T>(&mut self, alone: impl FnOnce() -> T, operation: impl FnOnce(&mut Ring) -> Result<T, Fault>) -> Result<T> {
        let done = match &mut self.link {
            Link::Alone => Ok(alone()),
            Link::Ring(ring) => {
                let begun = self.clock.now();
                let done = operation(ring);
                ring.report(&mut self.stats);
                self.stats.spent += self.clock.now().saturating_sub(begun);
                done
            }
            Link::Broken(reason) => {
                let reason = format!("an earlier call has failed ({reason}); connect again");
                return Err(self.error(reason));
            }
        };
        self.calls += 1;
        match done {
            Ok(result) => {
                self.stats.operations += 1;
                Ok(result)
            }
            Err(fault) => Err(self.give_up(&fault)),
        }
    }

    fn give_up(&mut self, fault: &Fault) -> Error {
        let Fault { origin, reason } = fault;
        let reason = if *origin == self.place.rank { reason.clone() } else { format!("rank {origin} gave up: {reason}") };
        if let Link::Ring(ring) = std::mem::replace(&mut self.link, Link::Broken(reason.clone())) {
            ring.give_up(fault);
        }
        self.error(reason)
    }

    fn error(&self, reason: String) -> Error {
        Error::Collective { rank: self.place.rank, reason }
    }
}

impl std::fmt::Debug for Communicator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { place, link, calls, stats, timeout, .. } = self;
        let mut shown = f.debug_struct("Communicator");
        shown.field("place", place).field("link", link).field("calls", calls).field("stats", stats);
        shown.field("timeout", timeout).finish_non_exhaustive()
    }
}
