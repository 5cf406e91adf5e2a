//! Clusters in virtual time. Everything follows from a seed: nothing here reads a clock, and whatever is ordered by chance is drawn from
//! the seed's numbers.

mod clock;
mod deployed;
mod disk;
mod links;
mod node;
mod queue;

use jarre_kv_store::testing::nemesis::Dice;

use clock::Clock;
use disk::Disk;
pub(crate) use links::Links;
pub(crate) use node::{Action, Node};
use queue::Queue;

use crate::{
    client::Client,
    deployment::{MILLI, Micros},
    record::Record,
    request::{Answer, Refusal, Request},
};

/// How often nodes look at the time.
const TICK: Micros = 5 * MILLI;
/// The shortest way between a client and the node that it asks, and the mean of what is added.
const CLIENT_WAY: Micros = 100;
const CLIENT_JITTER: f64 = 50.0;
/// A sync of a disk: seven tenths of it at least, and all of it on average.
pub(crate) const SYNC: Micros = MILLI;

/// Nodes, links between them, and clients.
pub(crate) struct Simulation<N: Node> {
    hosts: Vec<Host<N>>,
    links: Links,
    clients: Vec<Client>,
    events: Queue<Event<N::Message>>,
    dice: Dice,
    record: Record,
    now: Micros,
}

struct Host<N: Node> {
    node: N,
    state: HostState<Event<N::Message>>,
    clock: Clock,
    disk: Disk,
    /// Counts deaths: what a node was about to do when it died is not done.
    life: u64,
}

enum HostState<E> {
    Up,
    Dead,
    /// What came in the meantime.
    Paused(Vec<E>),
}

enum Event<M> {
    Tick {
        node: usize,
    },
    Message {
        from: usize,
        to: usize,
        message: M,
    },
    Request {
        operation: usize,
        request: Request,
    },
    /// A node's answer leaves it, unless it died meanwhile.
    Leave {
        node: usize,
        life: u64,
        operation: usize,
        answer: Answer,
    },
    Answer {
        operation: usize,
        answer: Answer,
    },
    /// The client in this place asks.
    Ask {
        client: usize,
        request: Request,
    },
}

impl<N: Node> Simulation<N> {
    /// These nodes, with healthy links between them.
    pub(crate) fn new(nodes: Vec<N>, seed: u64) -> Self {
        let mut events = Queue::new();
        for node in 0..nodes.len() {
            // Not all at the same time, as no real clocks are.
            events.push(node as Micros * MILLI, Event::Tick { node });
        }
        let links = Links::new(nodes.len());
        let hosts = nodes
            .into_iter()
            .map(|node| Host { node, state: HostState::Up, clock: Clock::new(), disk: Disk::new(SYNC), life: 0 })
            .collect();
        Self { hosts, links, clients: Vec::new(), events, dice: Dice::new(seed), record: Record::default(), now: 0 }
    }

    fn happen(&mut self, event: Event<N::Message>) {
        match event {
            Event::Ask { client, request } => self.ask(client, request),
            Event::Answer { operation, answer } => self.answer(operation, &answer),
            Event::Leave { node, life, operation, answer } => {
                if self.hosts[node].life == life {
                    self.answer_later(operation, answer);
                }
            }
            Event::Tick { node } => {
                let host = &mut self.hosts[node];
                self.events.push(host.clock.after(self.now, TICK), Event::Tick { node });
                if matches!(host.state, HostState::Up) {
                    let actions = host.node.tick(host.clock.at(self.now));
                    self.act(node, actions);
                }
            }
            Event::Message { from, to, .. } if !self.links.arrives(from, to) => {}
            Event::Message { to: node, .. } | Event::Request { request: Request { node, .. }, .. } => self.arrive(node, event),
        }
    }

    /// A message or a request comes to a node.
    fn arrive(&mut self, node: usize, event: Event<N::Message>) {
        let host = &mut self.hosts[node];
        let now = host.clock.at(self.now);
        let actions = match (&mut host.state, event) {
            (HostState::Paused(held), event) => return held.push(event),
            (HostState::Up, Event::Message { from, message, .. }) => {
                // Nobody waits for this sync: it is what a node has that others sent.
                host.disk.begin_sync(self.now, now, self.now + host.disk.sync);
                host.node.step(now, from, message)
            }
            (HostState::Up, Event::Request { operation, request }) => host.node.request(now, operation, &request),
            (HostState::Dead, Event::Request { operation, .. }) => {
                let answer = Answer::Refused { reason: Refusal::Down, hint: None };
                return self.answer_later(operation, answer);
            }
            _ => return,
        };
        self.act(node, actions);
    }

    fn act(&mut self, node: usize, actions: Vec<Action<N::Message>>) {
        let Host { life, clock, disk: Disk { sync, .. }, .. } = self.hosts[node];
        for action in actions {
            match action {
                Action::Send { to, message } => {
                    for at in self.links.send(self.now, node, to, &mut self.dice) {
                        self.events.push(at, Event::Message { from: node, to, message: message.clone() });
                    }
                }
                Action::Reply { id, answer } => self.events.push(self.now, Event::Leave { node, life, operation: id, answer }),
                Action::ReplyDurable { id, answer } => {
                    let done = self.now + sync * 7 / 10 + self.dice.exponential(sync as f64 * 0.3);
                    self.hosts[node].disk.begin_sync(self.now, clock.at(self.now), done);
                    self.events.push(done, Event::Leave { node, life, operation: id, answer });
                }
            }
        }
        self.look(node);
    }

    /// Notes what a node believes.
    fn look(&mut self, node: usize) {
        let Host { node: replica, state, .. } = &self.hosts[node];
        let claim = if matches!(state, HostState::Dead) { None } else { replica.claim() };
        self.record.believes(self.now, node, claim);
    }

    fn ask(&mut self, client: usize, request: Request) {
        let operation = self.record.call(self.now, &request);
        let way = self.client_way();
        self.events.push(self.now + way, Event::Request { operation, request });
        self.events.push(self.now + self.clients[client].timeout, Event::Answer { operation, answer: Answer::Unknown });
    }

    fn answer_later(&mut self, operation: usize, answer: Answer) {
        let way = self.client_way();
        self.events.push(self.now + way, Event::Answer { operation, answer });
    }

    fn client_way(&mut self) -> Micros {
        CLIENT_WAY + self.dice.exponential(CLIENT_JITTER)
    }

    fn answer(&mut self, operation: usize, answer: &Answer) {
        if !self.record.end(self.now, operation, answer.clone()) {
            return;
        }
        let id = self.record.operations[operation].client;
        let place = self.clients.iter().position(|client| client.id == id).expect("only clients that are here ask");
        self.clients[place].heard(answer);
        self.go_on(place);
    }

    fn go_on(&mut self, client: usize) {
        if let Some((at, request)) = self.clients[client].next(self.now) {
            self.events.push(at, Event::Ask { client, request });
        }
    }

    fn resume(&mut self, node: usize) {
        if let HostState::Paused(held) = std::mem::replace(&mut self.hosts[node].state, HostState::Up) {
            for event in held {
                self.events.push(self.now, event);
            }
        }
    }

    /// All die at once, and with them what is not on disk.
    fn lose_power(&mut self) {
        for node in 0..self.hosts.len() {
            let host = &mut self.hosts[node];
            host.node.lose_after(host.disk.synced(self.now));
            self.kill(node);
        }
    }

    fn kill(&mut self, node: usize) {
        self.hosts[node].state = HostState::Dead;
        self.hosts[node].life += 1;
        self.look(node);
    }
}

#[cfg(test)]
mod tests;
