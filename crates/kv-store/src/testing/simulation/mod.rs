//! Members of a cluster in one thread, on time that passes as fast as it can be computed, and on a network that fails as a
//! [`nemesis`](super::nemesis) says.
//!
//! Each host has a runtime of its own, whose clock stands still unless the simulation lets it go on: hosts can run fast or slow, stop for a
//! while and find that time has jumped, and be gone from one moment to the next with all their tasks. Messages between hosts go over streams that
//! keep order, as TCP does: what a packet's loss means to them is a delay, and what a cut means is silence until the cut is mended.
//!
//! A seed stands for the faults, for what the network does to each packet, when members stand for election, lives and nonces. What still
//! varies from run to run: which branch tokio's `select!` looks at first, unless the program is built with
//! `RUSTFLAGS="--cfg tokio_unstable"`, and where `redb` puts its pages, on which it depends what a power cut leaves of them.
//!
//! ```
//! use std::time::Duration;
//! use jarre_kv_store::testing::{nemesis::Shape, simulation::Simulation};
//!
//! let mut simulation = Simulation::new(2, 7, Shape::PERFECT);
//! let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
//! simulation.start(0, 1.0, async move {
//!     tokio::time::sleep(Duration::from_secs(3600)).await;
//!     sender.send("an hour has passed").unwrap();
//! });
//! while receiver.try_recv().is_err() {
//!     simulation.step();
//! }
//! // A step of five milliseconds may pass before it is noticed.
//! assert!((3_600_000..=3_600_005).contains(&simulation.now()));
//! ```

mod host;
mod network;
mod stream;

pub use host::HostClock;
pub use network::Wires;

use super::nemesis::{Dice, Shape};
use crate::cluster::entropy::seeded;
use host::Host;

/// Milliseconds that pass at a time: what one host sends, another sees a step later at the earliest.
const STEP: u64 = 5;

/// Hosts, the network between them, and their time.
#[derive(Debug)]
pub struct Simulation {
    hosts: Vec<Option<Host>>,
    wires: Wires,
    dice: Dice,
    now: u64,
}

impl Simulation {
    /// So many hosts, none of which runs yet; from `seed` follows what happens to packets, and what members draw. A thread has one simulation
    /// at a time, on which the numbers that its members draw depend.
    pub fn new(hosts: usize, seed: u64, shape: Shape) -> Self {
        let mut dice = Dice::new(seed);
        seeded::draw_from(Some(Dice::new(dice.roll())));
        Self { hosts: (0..hosts).map(|_| None).collect(), wires: Wires::new(hosts, dice.roll(), shape), dice, now: 0 }
    }

    /// Milliseconds since the beginning.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// What lies between the hosts.
    pub fn wires(&self) -> &Wires {
        &self.wires
    }

    /// Starts `main` on a host, whose time passes `rate` times as fast as that of the simulation.
    ///
    /// # Panics
    /// Where there is no such host, or it runs already.
    pub fn start(&mut self, host: usize, rate: f64, main: impl Future<Output = ()> + Send + 'static) {
        assert!(self.hosts[host].is_none(), "host {host} runs already");
        self.wires.host_is_up(host);
        self.hosts[host] = Some(Host::new(rate, self.dice.roll(), main));
    }

    /// Whether the host runs, or stands still for a while.
    ///
    /// # Panics
    /// Where there is no such host.
    pub fn runs(&self, host: usize) -> bool {
        self.hosts[host].is_some()
    }

    /// Ends all that a host does, at once. Where its system is still there, others learn that their connections are gone; where the power
    /// went, they hear nothing until the host is started again. Take what its disks hold before: what is dropped may write.
    ///
    /// # Panics
    /// Where there is no such host.
    pub fn kill(&mut self, host: usize, system_stays: bool) {
        self.wires.host_is_down(host, system_stays);
        self.hosts[host] = None;
    }

    /// Lets the host stand still for so many milliseconds; then its time jumps.
    ///
    /// # Panics
    /// Where there is no such host.
    pub fn pause(&mut self, host: usize, millis: u64) {
        let until = self.now + millis;
        if let Some(host) = &mut self.hosts[host] {
            host.pause(until);
        }
    }

    /// Calls `look` as if from within the host; `None` where it does not run or stands still.
    ///
    /// # Panics
    /// Where there is no such host.
    pub fn on<T>(&self, host: usize, look: impl FnOnce() -> T) -> Option<T> {
        self.hosts[host].as_ref().filter(|host| !host.is_paused(self.now)).map(|host| host.on(look))
    }

    /// Lets a few milliseconds pass.
    pub fn step(&mut self) {
        self.now += STEP;
        self.wires.deliver(self.now);
        for host in self.hosts.iter_mut().flatten() {
            host.step(self.now, STEP);
        }
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        // What members do while they are dropped is still theirs.
        self.hosts.clear();
        seeded::draw_from(None);
    }
}
