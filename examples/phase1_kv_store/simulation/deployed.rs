use anyhow::Result;

use super::{Host, HostState, Node, Simulation};
use crate::{
    client::Client,
    deployment::{Deployment, Fault, Leader, Micros},
    record::{Operation, Record},
};

impl<N: Node> Deployment for Simulation<N> {
    fn nodes(&self) -> usize {
        self.hosts.len()
    }

    fn now(&self) -> Micros {
        self.now
    }

    fn start(&mut self, client: Client) {
        self.clients.push(client);
        self.go_on(self.clients.len() - 1);
    }

    fn run_until(&mut self, until: Micros) {
        while let Some((at, event)) = self.events.pop_until(until) {
            self.now = at.max(self.now);
            self.happen(event);
        }
        self.now = until.max(self.now);
    }

    fn inject(&mut self, fault: &Fault) -> Result<()> {
        match *fault {
            Fault::Cut(ref grudge) => self.links.cut(grudge.clone()),
            Fault::Heal => self.links.heal(),
            Fault::Kill(node) => self.kill(node),
            Fault::Start(node) if matches!(self.hosts[node].state, HostState::Dead) => {
                let host = &mut self.hosts[node];
                host.state = HostState::Up;
                host.node.restart(host.clock.at(self.now));
                self.look(node);
            }
            Fault::Pause(node) if matches!(self.hosts[node].state, HostState::Up) => self.hosts[node].state = HostState::Paused(Vec::new()),
            Fault::Resume(node) if matches!(self.hosts[node].state, HostState::Paused(_)) => self.resume(node),
            Fault::SlowNode { node, by } => self.links.slow(node, by),
            Fault::SlowDisk { node, sync } => self.hosts[node].disk.sync = sync,
            Fault::SlowLinks { by } => self.links.slow_all(by),
            Fault::PowerLoss => self.lose_power(),
            Fault::Clock { node, ahead, percent } => self.hosts[node].clock.set(self.now, ahead, percent),
            // Only the dead start, the living pause, and those that pause go on.
            Fault::Start(_) | Fault::Pause(_) | Fault::Resume(_) => {}
        }
        Ok(())
    }

    fn leaders(&self) -> Vec<Leader> {
        let alive = self.hosts.iter().enumerate().filter(|(_, host)| !matches!(host.state, HostState::Dead));
        alive.filter_map(|(node, host)| Some(Leader { node, term: host.node.claim()?.term })).collect()
    }

    fn last_of(&self, client: u64) -> Option<Operation> {
        self.record.last_of(client).cloned()
    }

    fn finish(self: Box<Self>) -> Result<Record> {
        let now = self.now;
        let woken = |mut host: Host<N>| {
            // Whoever is dead leads nobody, whatever it was when it died.
            if matches!(host.state, HostState::Dead) {
                host.node.restart(host.clock.at(now));
            }
            host.node
        };
        let nodes: Vec<N> = self.hosts.into_iter().map(woken).collect();
        let replicas = nodes.iter().map(Node::values).collect();
        Ok(Record { surviving: N::surviving(&nodes), replicas, ..self.record })
    }
}
