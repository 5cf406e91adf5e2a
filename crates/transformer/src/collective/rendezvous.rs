//! How workers find each other: all report to rank 0, learn from it where the others are, and connect to their right neighbours.

use std::{
    collections::BTreeMap,
    io::Write,
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use super::{
    Communicator, RingConfig,
    handshake::{Listening, Message, digest},
    lobby::{Lobby, PAUSE},
    patience::Patience,
    place::Place,
};
use crate::{Error, Result};

/// Between two tries to reach rank 0, which may not have started yet.
const RETRY: Duration = Duration::from_millis(20);

/// Rank 0 before the others have come: it listens already, so that its address can be told to them. With port 0 the system picks a free
/// port.
#[derive(Debug)]
pub struct Rendezvous {
    config: RingConfig,
    place: Place,
    lobby: Lobby,
    address: SocketAddr,
}

/// The two connections of a worker.
pub(super) struct Neighbours {
    pub(super) left: TcpStream,
    pub(super) right: TcpStream,
}

impl Rendezvous {
    /// Listens at the address of `config`, for rank 0.
    ///
    /// # Errors
    /// [`Collective`](Error::Collective) where the configuration names another rank or no possible world, or the address cannot be
    /// listened at.
    pub fn bind(config: &RingConfig) -> Result<Self> {
        let listen = || {
            let place = config.place()?;
            if place.rank != 0 {
                return Err("only rank 0 listens at the rendezvous; let the others connect".to_owned());
            }
            let lobby = Lobby::open(config.rendezvous, config.key.clone())?;
            Ok(Self { config: config.clone(), place, address: lobby.address()?, lobby })
        };
        listen().map_err(|reason| Error::Collective { rank: config.stated_rank(), reason })
    }

    /// Where the others have to look for rank 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the others and closes the ring.
    ///
    /// # Errors
    /// As [`Communicator::connect`].
    pub fn connect(self) -> Result<Communicator> {
        let config = self.config.clone();
        Communicator::meet(&config, self.place, |patience| self.host(patience))
    }

    fn host(mut self, patience: &Patience) -> Result<Neighbours, String> {
        let mut joined = BTreeMap::new();
        if let Err(reason) = self.gather(&mut joined, patience) {
            for (stream, _) in joined.into_values() {
                self.lobby.turn_away(stream, reason.clone());
            }
            return Err(reason);
        }
        self.introduce(joined, patience)
    }

    fn gather(&mut self, joined: &mut BTreeMap<usize, (TcpStream, SocketAddr)>, patience: &Patience) -> Result<(), String> {
        while joined.len() + 1 < self.place.world {
            let next = self.lobby.next(patience);
            let (stream, message) = next.map_err(|reason| format!("{} did not join: {reason}", absent(joined, self.place.world)))?;
            let Message::Join { rank, world, address } = message else {
                self.lobby.turn_away(stream, "it came to the rendezvous with another message than to join".into());
                continue;
            };
            if let Err(reason) = self.check(rank, world, address, joined.contains_key(&rank)) {
                self.lobby.turn_away(stream, reason.clone());
                return Err(reason);
            }
            joined.insert(rank, (stream, address));
        }
        Ok(())
    }

    fn check(&self, rank: usize, world: usize, address: SocketAddr, is_known: bool) -> Result<(), String> {
        if world != self.place.world {
            return Err(format!("rank {rank} was started for {world} workers, rank 0 for {}; start all for the same", self.place.world));
        }
        if is_known || !(1..world).contains(&rank) {
            return Err(format!("two workers were started as rank {rank}, or there is no such rank; give each its own below {world}"));
        }
        self.config.admit(address)
    }

    /// Tells everybody where the others are.
    fn introduce(self, joined: BTreeMap<usize, (TcpStream, SocketAddr)>, patience: &Patience) -> Result<Neighbours, String> {
        let key = &self.config.key;
        let lobby = Lobby::open((self.address.ip(), 0).into(), key.clone())?;
        // The address by which the last rank, the only one that will use it, has reached this worker.
        let (last, _) = joined.last_key_value().map(|(_, last)| last).expect("a world of two or more has joined");
        let own = last.local_addr().map_err(|error| format!("it does not know its own address: {error}"))?;
        let own = SocketAddr::new(own.ip(), lobby.address()?.port());
        let roster: Vec<SocketAddr> = std::iter::once(own).chain(joined.values().map(|(_, address)| *address)).collect();
        let message = Message::Roster(roster.clone()).seal(key);
        for (rank, (mut stream, _)) in joined {
            stream.write_all(&message).map_err(|error| format!("rank {rank} left before the ring was closed: {error}"))?;
        }
        close_ring(&self.config, self.place, lobby, &roster, patience)
    }
}

/// The part of every rank but 0.
pub(super) fn join(config: &RingConfig, place: Place, patience: &Patience) -> Result<Neighbours, String> {
    let mut stream = reach(config.rendezvous, patience)?;
    let own = stream.local_addr().map_err(|error| format!("it does not know its own address: {error}"))?;
    let lobby = Lobby::open((own.ip(), 0).into(), config.key.clone())?;
    let message = Message::Join { rank: place.rank, world: place.world, address: lobby.address()? };
    let lost = |reason| format!("it was not let in by rank 0 at {}: {reason}", config.rendezvous);
    stream.write_all(&message.seal(&config.key)).map_err(|error| lost(error.to_string()))?;
    match answer(config, stream, patience).map_err(lost)? {
        Message::Roster(roster) if roster.len() == place.world => close_ring(config, place, lobby, &roster, patience),
        Message::Refusal(reason) => Err(lost(reason)),
        _ => Err(lost("it answered something else than was asked".into())),
    }
}

fn answer(config: &RingConfig, stream: TcpStream, patience: &Patience) -> Result<Message, String> {
    let mut rank_0 = Listening::new(stream).map_err(|error| error.to_string())?;
    loop {
        if let Some(message) = rank_0.poll(&config.key)? {
            return Ok(message);
        }
        if patience.is_over() {
            return Err(format!("not all workers came within {:?}", patience.limit));
        }
        thread::sleep(PAUSE);
    }
}

/// Connects to the right neighbour, and waits for the left one.
fn close_ring(
    config: &RingConfig,
    place: Place,
    mut lobby: Lobby,
    roster: &[SocketAddr],
    patience: &Patience,
) -> Result<Neighbours, String> {
    let digest = digest(roster);
    let (left, right) = (place.left(), place.right());
    let lost = |error: std::io::Error| format!("rank {right} at {} left before the ring was closed: {error}", roster[right]);
    config.admit(roster[right])?;
    let mut to_right = dial(roster[right], patience).map_err(lost)?;
    to_right.write_all(&Message::Neighbour { rank: place.rank, digest }.seal(&config.key)).map_err(lost)?;
    let expected = Message::Neighbour { rank: left, digest };
    loop {
        let next = lobby.next(patience).map_err(|reason| format!("rank {left} left before the ring was closed: {reason}"))?;
        match next {
            (stream, message) if message == expected => return Ok(Neighbours { left: stream, right: to_right }),
            (stream, _) => lobby.turn_away(stream, format!("it is not rank {left} of this ring")),
        }
    }
}

/// Tries until rank 0 listens.
fn reach(address: SocketAddr, patience: &Patience) -> Result<TcpStream, String> {
    loop {
        match dial(address, patience) {
            Ok(stream) => return Ok(stream),
            Err(error) if patience.is_over() => {
                return Err(format!("rank 0 could not be reached at {address} within {:?}: {error}", patience.limit));
            }
            Err(_) => thread::sleep(RETRY.min(patience.left())),
        }
    }
}

fn dial(address: SocketAddr, patience: &Patience) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, patience.left().max(Duration::from_millis(1)))?;
    // Where nobody listens at a port of the range that the system picks outgoing ports from, it may connect a socket to itself.
    if stream.local_addr()? == address {
        return Err(std::io::ErrorKind::ConnectionRefused.into());
    }
    stream.set_write_timeout(Some(patience.limit))?;
    Ok(stream)
}

fn absent(joined: &BTreeMap<usize, (TcpStream, SocketAddr)>, world: usize) -> String {
    const NAMED: usize = 8;
    let absent: Vec<usize> = (1..world).filter(|rank| !joined.contains_key(rank)).collect();
    let named: Vec<String> = absent.iter().take(NAMED).map(ToString::to_string).collect();
    let rest = if absent.len() > NAMED { format!(" and {} more", absent.len() - NAMED) } else { String::new() };
    format!("rank {}{rest}", named.join(", "))
}
