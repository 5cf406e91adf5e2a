use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use jarre_core::BoxFuture;

use super::stream::SimStream;
use crate::{
    cluster::{Listener, Stream, Transport},
    testing::nemesis::{Dice, Network, Shape},
};

/// After how many milliseconds what was lost is sent again, at first; each time after twice that.
const RESEND: u64 = 200;
/// How often that doubles.
const DOUBLINGS: u32 = 4;

/// The network between simulated hosts; clones are handles of one network.
#[derive(Clone)]
pub struct Wires(Arc<Mutex<State>>);

pub(super) struct State {
    now: u64,
    network: Network,
    dice: Dice,
    hosts: Vec<Power>,
    listeners: BTreeMap<usize, Waiting>,
    pub(super) connections: BTreeMap<u64, Connection>,
    next_connection: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    Up,
    /// The process is gone, its system answers for it.
    Ended,
    Off,
}

#[derive(Default)]
struct Waiting {
    /// Connections that came in.
    came: VecDeque<u64>,
    waker: Option<Waker>,
}

/// Both ends of a connection, and what is on its way to each.
pub(super) struct Connection {
    pub(super) ends: [End; 2],
    on_the_way: [VecDeque<Packet>; 2],
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each of them comes about by itself")]
pub(super) struct End {
    host: usize,
    /// Whether a process has it.
    pub(super) is_held: bool,
    pub(super) is_open: bool,
    pub(super) came: VecDeque<u8>,
    pub(super) has_ended: bool,
    pub(super) is_reset: bool,
    pub(super) waker: Option<Waker>,
}

struct Packet {
    what: What,
    due: u64,
    tries: u32,
}

pub(super) enum What {
    Open,
    Opened,
    Bytes(Vec<u8>),
    End,
    Reset,
}

impl Wires {
    pub(super) fn new(hosts: usize, seed: u64, shape: Shape) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: 0,
            network: Network::new(hosts, shape),
            dice: Dice::new(seed),
            hosts: vec![Power::Off; hosts],
            listeners: BTreeMap::new(),
            connections: BTreeMap::new(),
            next_connection: 0,
        })))
    }

    /// How others reach a host: `host:` and its number.
    pub fn address(host: usize) -> String {
        format!("host:{host}")
    }

    /// How a host reaches others.
    pub fn transport(&self, host: usize) -> Arc<dyn Transport> {
        Arc::new(Port { wires: self.clone(), host })
    }

    /// Changes what becomes of packets.
    pub fn change(&self, change: impl FnOnce(&mut Network)) {
        change(&mut self.lock().network);
    }

    pub(super) fn host_is_up(&self, host: usize) {
        self.lock().hosts[host] = Power::Up;
    }

    pub(super) fn host_is_down(&self, host: usize, system_stays: bool) {
        let mut state = self.lock();
        state.hosts[host] = if system_stays { Power::Ended } else { Power::Off };
        state.listeners.remove(&host);
        let ends: Vec<_> = state
            .connections
            .iter()
            .flat_map(|(id, connection)| (0..2).filter(|at| connection.ends[*at].host == host).map(|at| (*id, at)))
            .collect();
        for (id, at) in ends {
            let connection = state.connections.get_mut(&id).expect("it was just seen");
            connection.ends[at].is_held = false;
            // What it had not sent yet is not sent again either.
            connection.on_the_way[1 - at].retain(|packet| packet.tries == 0);
            if system_stays {
                state.send(id, at, What::Reset);
            }
        }
    }

    /// Delivers what is due.
    pub(super) fn deliver(&self, now: u64) {
        let mut state = self.lock();
        state.now = now;
        let ids: Vec<u64> = state.connections.keys().copied().collect();
        for id in ids {
            for to in 0..2 {
                while state.deliver_next(id, to) {}
            }
            let idle = |connection: &Connection| {
                connection.ends.iter().all(|end| !end.is_held) && connection.on_the_way.iter().all(VecDeque::is_empty)
            };
            if state.connections.get(&id).is_some_and(idle) {
                state.connections.remove(&id);
            }
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Sends from end `from` of a connection to the other.
    pub(super) fn send(&mut self, id: u64, from: usize, what: What) {
        let connection = self.connections.get_mut(&id).expect("whoever sends has an end of it");
        let hosts = [connection.ends[from].host, connection.ends[1 - from].host];
        let arrives = self.network.send(self.now, hosts[0], hosts[1], &mut self.dice).into_iter().min();
        let (due, tries) = arrives.map_or((self.now + RESEND, 1), |due| (due, 0));
        connection.on_the_way[1 - from].push_back(Packet { what, due, tries });
    }

    /// Whether something was delivered to that end.
    fn deliver_next(&mut self, id: u64, to: usize) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        let Some(packet) = connection.on_the_way[to].front_mut().filter(|packet| packet.due <= self.now) else { return false };
        let hosts = [connection.ends[1 - to].host, connection.ends[to].host];
        let is_off = self.hosts[hosts[1]] == Power::Off;
        let again = if packet.tries == 0 || is_off || !self.network.arrives(hosts[0], hosts[1]) {
            is_off || !self.network.arrives(hosts[0], hosts[1])
        } else {
            // It was lost before, and is sent again now.
            match self.network.send(self.now, hosts[0], hosts[1], &mut self.dice).into_iter().min() {
                Some(due) if due > self.now => {
                    (packet.due, packet.tries) = (due, 0);
                    return false;
                }
                Some(_) => false,
                None => true,
            }
        };
        if again {
            packet.due = self.now + (RESEND << packet.tries.min(DOUBLINGS));
            packet.tries += 1;
            return false;
        }
        let packet = connection.on_the_way[to].pop_front().expect("it was just seen");
        self.arrive(id, to, packet.what);
        true
    }

    fn arrive(&mut self, id: u64, to: usize, what: What) {
        let connection = self.connections.get_mut(&id).expect("something was on its way on it");
        let host = connection.ends[to].host;
        let is_answered = match what {
            What::Open => {
                let Some(waiting) = self.listeners.get_mut(&host).filter(|_| self.hosts[host] == Power::Up) else {
                    return self.send(id, to, What::Reset);
                };
                waiting.came.push_back(id);
                (connection.ends[to].is_held, connection.ends[to].is_open) = (true, true);
                wake(&mut waiting.waker);
                return self.send(id, to, What::Opened);
            }
            _ if !connection.ends[to].is_held => !matches!(what, What::Reset | What::End),
            What::Opened => {
                connection.ends[to].is_open = true;
                false
            }
            What::Bytes(bytes) => {
                connection.ends[to].came.extend(bytes);
                false
            }
            What::End => {
                connection.ends[to].has_ended = true;
                false
            }
            What::Reset => {
                connection.ends[to].is_reset = true;
                false
            }
        };
        wake(&mut connection.ends[to].waker);
        if is_answered {
            connection.on_the_way[to].clear();
            self.send(id, to, What::Reset);
        }
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl fmt::Debug for Wires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wires").finish_non_exhaustive()
    }
}

/// A host's way into the network.
#[derive(Debug)]
struct Port {
    wires: Wires,
    host: usize,
}

impl Transport for Port {
    fn connect<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let host = parse(address)?;
            let id = {
                let mut state = self.wires.lock();
                let id = state.next_connection;
                state.next_connection += 1;
                let ends = [self.host, host].map(|host| End { host, ..End::default() });
                state.connections.insert(id, Connection { ends, on_the_way: [VecDeque::new(), VecDeque::new()] });
                state.connections.get_mut(&id).expect("it was just put there").ends[0].is_held = true;
                state.send(id, 0, What::Open);
                id
            };
            let stream = SimStream::new(self.wires.clone(), id, 0);
            stream.opened().await?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }

    fn listen<'a>(&'a self, address: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let host = parse(address)?;
            self.wires.lock().listeners.insert(host, Waiting::default());
            Ok(Box::new(Door { wires: self.wires.clone(), host }) as Box<dyn Listener>)
        })
    }
}

fn parse(address: &str) -> io::Result<usize> {
    address.strip_prefix("host:").and_then(|host| host.parse().ok()).ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

struct Door {
    wires: Wires,
    host: usize,
}

impl Door {
    fn poll_accept(&self, context: &Context<'_>) -> Poll<io::Result<Box<dyn Stream>>> {
        let mut state = self.wires.lock();
        let Some(waiting) = state.listeners.get_mut(&self.host) else { return Poll::Pending };
        if let Some(id) = waiting.came.pop_front() {
            return Poll::Ready(Ok(Box::new(SimStream::new(self.wires.clone(), id, 1))));
        }
        waiting.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Listener for Door {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(std::future::poll_fn(|context| self.poll_accept(context)))
    }

    fn local_address(&self) -> io::Result<String> {
        Ok(Wires::address(self.host))
    }
}
