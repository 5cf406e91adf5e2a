use std::{
    collections::VecDeque,
    io::{ErrorKind, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use super::{
    handshake::{Key, Listening, Message},
    patience::Patience,
};

/// How long is slept between two looks at all connections.
pub(super) const PAUSE: Duration = Duration::from_millis(2);

/// How many may be connected and say nothing before the oldest of them has to leave: every one costs a file descriptor.
const MAX_GUESTS: usize = 64;

/// Where others connect: hears all of them at once, and lets those in who know the token. The rest cannot hold it up.
#[derive(Debug)]
pub(super) struct Lobby {
    listener: TcpListener,
    key: Key,
    guests: VecDeque<Listening>,
    turned_away: usize,
    last_complaint: String,
}

impl Lobby {
    pub(super) fn open(address: SocketAddr, key: Key) -> Result<Self, String> {
        let open = || {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        let listener = open().map_err(|error: std::io::Error| format!("it cannot listen at {address}: {error}"))?;
        Ok(Self { listener, key, guests: VecDeque::new(), turned_away: 0, last_complaint: String::new() })
    }

    pub(super) fn address(&self) -> Result<SocketAddr, String> {
        self.listener.local_addr().map_err(|error| format!("it does not know where it listens: {error}"))
    }

    /// The next sound message, and who sent it.
    ///
    /// # Errors
    /// When patience is over, or the listener breaks.
    pub(super) fn next(&mut self, patience: &Patience) -> Result<(TcpStream, Message), String> {
        loop {
            self.let_in()?;
            if let Some(heard) = self.hear() {
                return Ok(heard);
            }
            if patience.is_over() {
                return Err(format!("nobody came within {:?}{}", patience.limit, self.complaints()));
            }
            if self.is_full() {
                self.guests.pop_front();
            }
            thread::sleep(PAUSE);
        }
    }

    /// Sends somebody away who said what cannot be used.
    pub(super) fn turn_away(&mut self, mut guest: TcpStream, complaint: String) {
        // Who listens is told; nothing is lost where nobody does.
        guest.write_all(&Message::Refusal(complaint.clone()).seal(&self.key)).ok();
        self.turned_away += 1;
        self.last_complaint = complaint;
    }

    /// Who was sent away so far, and why, to be added to an error; empty where nobody was.
    pub(super) fn complaints(&self) -> String {
        match self.turned_away {
            0 => String::new(),
            1 => format!("; a connection was turned away: {}", self.last_complaint),
            many => format!("; {many} connections were turned away, the last because {}", self.last_complaint),
        }
    }

    fn let_in(&mut self) -> Result<(), String> {
        while !self.is_full() {
            match self.listener.accept() {
                // Who is gone already is not a guest.
                Ok((stream, _)) => self.guests.extend(Listening::new(stream)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error)
                    if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
                Err(error) => return Err(format!("its listener broke: {error}")),
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.guests.len() >= MAX_GUESTS
    }

    fn hear(&mut self) -> Option<(TcpStream, Message)> {
        for _ in 0..self.guests.len() {
            let mut guest = self.guests.pop_front()?;
            match guest.poll(&self.key) {
                Ok(None) => self.guests.push_back(guest),
                Ok(Some(message)) => return Some((guest.into_stream().ok()?, message)),
                Err(complaint) => self.see_off(guest, complaint),
            }
        }
        None
    }

    fn see_off(&mut self, guest: Listening, complaint: String) {
        if let Ok(stream) = guest.into_stream() {
            self.turn_away(stream, complaint);
        }
    }
}
