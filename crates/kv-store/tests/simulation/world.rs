use std::{sync::Arc, time::Duration};

use jarre_core::BoxFuture;
use jarre_kv_store::{
    Cluster, Error, Result,
    testing::{
        nemesis::{Dice, Shape},
        simulation::Simulation,
    },
};
use tokio::sync::oneshot;

use crate::{histories::record::Record, members::Group};

/// Steps after which members are looked at, and after which their digests are.
const LOOK: u64 = 4;
const LOOK_CLOSELY: u64 = 800;

/// Members in their simulation, a host for clients, and what those saw.
pub(crate) struct World {
    pub(crate) group: Group,
    pub(crate) record: Record,
    pub(crate) hosts: usize,
    steps: u64,
    /// Why a member did not serve last.
    pub(crate) refused: Option<Error>,
}

impl World {
    /// So many members, which start on a calm network, and hosts for more.
    pub(crate) fn new(founders: usize, spare_hosts: usize, dice: &mut Dice) -> Self {
        let calm = Shape { least_delay: 1, mean_delay: 2.0, ..Shape::PERFECT };
        let hosts = founders + spare_hosts;
        let mut simulation = Simulation::new(hosts + 1, dice.roll(), calm);
        simulation.start(hosts, 1.0, std::future::pending());
        let mut group = Group::new(simulation, founders, spare_hosts, dice);
        (0..founders).for_each(|at| group.start(at));
        Self { group, record: Record::default(), hosts, steps: 0, refused: None }
    }

    /// Milliseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        self.group.simulation.now()
    }

    /// Lets a few milliseconds pass, and holds members to what must be so at any time.
    pub(crate) fn step(&mut self) {
        self.group.simulation.step();
        self.group.see_refusals();
        self.steps += 1;
        if self.steps.is_multiple_of(LOOK) {
            self.group.look(self.steps.is_multiple_of(LOOK_CLOSELY));
        }
    }

    /// Lets so many milliseconds pass.
    pub(crate) fn pass(&mut self, millis: u64) {
        let end = self.now() + millis;
        while self.now() < end {
            self.step();
        }
    }

    /// Lets time pass until something is so, for so many milliseconds at most. Whether it is.
    pub(crate) fn until(&mut self, millis: u64, is_so: impl Fn(&Group) -> bool) -> bool {
        let end = self.now() + millis;
        while !is_so(&self.group) {
            if self.now() >= end {
                return false;
            }
            self.step();
        }
        true
    }

    /// Starts what clients do.
    pub(crate) fn spawn(&self, clients: impl Future<Output = ()> + Send + 'static) {
        // The clients' host has a runtime of its own.
        self.group.simulation.on(self.hosts, || tokio::spawn(clients)).expect("the clients' host runs and never stands still");
    }

    /// Asks a member, as a client does. The answer comes while time passes.
    pub(crate) fn ask<T, F>(&self, at: usize, limit: Duration, call: F) -> oneshot::Receiver<Result<T>>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Cluster>) -> BoxFuture<'static, Result<T>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let front = self.group.front.clone();
        self.spawn(async move { drop(reply.send(front.call(at, limit, call).await)) });
        answer
    }

    /// Lets time pass until the answer is there, which comes within the limit that it was asked for with.
    pub(crate) fn answer<T>(&mut self, mut answer: oneshot::Receiver<Result<T>>) -> Result<T> {
        loop {
            self.step();
            match answer.try_recv() {
                Ok(result) => return result,
                Err(oneshot::error::TryRecvError::Empty) => {}
                Err(oneshot::error::TryRecvError::Closed) => return Err(Error::Closed),
            }
        }
    }

    /// What `call` gives at a member, tried again and again until a time of the simulation.
    pub(crate) fn eventually<T, F>(&mut self, at: usize, latest: u64, limit: Duration, call: F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Cluster>) -> BoxFuture<'static, Result<T>> + Clone + Send + 'static,
    {
        while self.now() < latest {
            let asked = self.ask(at, limit, call.clone());
            match self.answer(asked) {
                Ok(found) => return Some(found),
                Err(error) => self.refused = Some(error),
            }
            self.pass(200);
        }
        None
    }
}
