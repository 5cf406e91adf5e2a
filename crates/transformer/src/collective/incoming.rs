use std::{
    io::{self, ErrorKind, Read},
    net::TcpStream,
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{frame::FrameHeader, patience::Patience};

/// The connection from the left neighbour: frames come in, nothing goes out.
#[derive(Debug)]
pub(super) struct Incoming {
    stream: TcpStream,
    from: usize,
    patience: Patience,
    payload: Vec<u8>,
    /// What is wrong with the connection to the right neighbour, if anything.
    trouble: Arc<OnceLock<String>>,
    pub(super) bytes: u64,
    /// How long it was waited for bytes.
    pub(super) waited: Duration,
}

impl Incoming {
    pub(super) fn new(stream: TcpStream, from: usize, patience: Patience, trouble: Arc<OnceLock<String>>) -> io::Result<Self> {
        stream.set_read_timeout(Some(patience.tick()))?;
        Ok(Self { stream, from, patience, payload: Vec::new(), trouble, bytes: 0, waited: Duration::ZERO })
    }

    /// The next frame; its payload is in [`payload`](Self::payload) until the one after.
    pub(super) fn next(&mut self) -> Result<FrameHeader, String> {
        let mut header = [0; FrameHeader::LEN];
        self.fill(&mut header)?;
        let header = FrameHeader::parse(&header).map_err(|reason| format!("what rank {} sent is not sound: {reason}", self.from))?;
        let mut payload = std::mem::take(&mut self.payload);
        payload.resize(header.payload_len as usize, 0);
        self.fill(&mut payload)?;
        self.payload = payload;
        Ok(header)
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }

    fn fill(&mut self, mut room: &mut [u8]) -> Result<(), String> {
        self.patience.renew();
        while !room.is_empty() {
            match self.stream.read(room) {
                Ok(0) => return Err(format!("rank {} closed its connection", self.from)),
                Ok(count) => {
                    room = &mut room[count..];
                    self.bytes += count as u64;
                    self.waited += self.patience.renew();
                }
                Err(error) => self.endure(&error)?,
            }
        }
        Ok(())
    }

    /// Gives an error where it makes no sense to read on. Where the right neighbour is lost, the left one had a tick to say why.
    fn endure(&mut self, error: &io::Error) -> Result<(), String> {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => match self.trouble.get() {
                Some(trouble) => Err(trouble.clone()),
                None if self.patience.is_over() => Err(format!("rank {} was silent for {:?}", self.from, self.patience.limit)),
                None => Ok(()),
            },
            ErrorKind::Interrupted => Ok(()),
            _ => Err(format!("the connection from rank {} is lost: {error}", self.from)),
        }
    }
}
