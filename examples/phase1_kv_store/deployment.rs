//! A cluster as the demonstrations see it: clients work on it, faults happen to it, and in the end it tells what happened. A simulated one
//! answers in virtual time, a real one in real time; the demonstrations do not know which.

use anyhow::Result;
use jarre_kv_store::testing::nemesis::Grudge;
use serde::Serialize;

use crate::{
    client::Client,
    record::{Operation, Record},
};

/// A point in time or a length of it, in microseconds. Points count from the start of the deployment.
pub(crate) type Micros = u64;

/// Microseconds in a millisecond.
pub(crate) const MILLI: Micros = 1_000;

/// A running cluster. Nodes are numbers from 0.
pub(crate) trait Deployment {
    /// How many nodes there are, dead ones included.
    fn nodes(&self) -> usize;

    /// What time it is.
    fn now(&self) -> Micros;

    /// Lets a client work from now on.
    fn start(&mut self, client: Client);

    /// Lets time pass.
    fn run_until(&mut self, until: Micros);

    /// Lets something happen to it.
    ///
    /// # Errors
    /// Where this cluster cannot be made to suffer that.
    fn inject(&mut self, fault: &Fault) -> Result<()>;

    /// Those that believe to lead now.
    fn leaders(&self) -> Vec<Leader>;

    /// The last operation of a client.
    fn last_of(&self, client: u64) -> Option<Operation>;

    /// Stops the cluster. The record holds what became of it.
    ///
    /// # Errors
    /// Where nobody can tell any more.
    fn finish(self: Box<Self>) -> Result<Record>;
}

/// A node that believes to lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Leader {
    pub(crate) node: usize,
    /// `None` where the cluster knows no terms.
    pub(crate) term: Option<u64>,
}

/// What can happen to a cluster.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Messages between nodes are cut this way, in place of all earlier cuts.
    Cut(Grudge),
    /// Nothing is cut any more.
    Heal,
    /// A node dies at once; what it had on disk stays.
    Kill(usize),
    /// A node that died starts again.
    Start(usize),
    /// A node stands still and does not know.
    Pause(usize),
    /// It goes on with all that came in the meantime.
    Resume(usize),
    /// Messages to and from a node take so much longer.
    SlowNode { node: usize, by: Micros },
    /// Each sync of a node's disk takes so long.
    SlowDisk { node: usize, sync: Micros },
    /// All messages between nodes take so much longer.
    SlowLinks { by: Micros },
    /// All nodes die at once, with what they had not synced. Real ones are killed, and keep what they wrote.
    PowerLoss,
    /// A node's clock jumps ahead, and runs at so many hundredths of its rate from then on.
    Clock { node: usize, ahead: Micros, percent: u64 },
}

/// Waits until one node leads, `patience` at most.
pub(crate) fn wait_for_leader(deployment: &mut dyn Deployment, patience: Micros) -> Result<Leader> {
    let end = deployment.now() + patience;
    while deployment.now() < end {
        deployment.run_until(deployment.now() + 5 * MILLI);
        if let [leader] = deployment.leaders()[..] {
            return Ok(leader);
        }
    }
    anyhow::bail!("no single node leads after {} ms", patience / MILLI)
}
