//! What workers say before there is a ring: messages of a prefix, a body and a keyed hash of both.

use std::{
    io::{ErrorKind, Read},
    net::{SocketAddr, TcpStream},
};

const MAGIC: [u8; 4] = *b"JRHS";
const VERSION: u16 = 1;
/// Magic, `version: u16`, `kind: u8`, zero, `body length: u32`; little-endian, and the same in every version.
const PREFIX: usize = 12;
const SEAL: usize = blake3::OUT_LEN;
const MAX_BODY: usize = 64 * 1024;

const JOIN: u8 = 1;
const ROSTER: u8 = 2;
const NEIGHBOUR: u8 = 3;
const REFUSAL: u8 = 4;

/// What the workers of a ring have in common; it stays in the process.
#[derive(Clone)]
pub(super) struct Key([u8; blake3::KEY_LEN]);

/// One message of the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// To rank 0: who comes, for a world of which size, and where it waits for its left neighbour.
    Join { rank: usize, world: usize, address: SocketAddr },
    /// From rank 0 when all have come: where each waits, by rank.
    Roster(Vec<SocketAddr>),
    /// To the right neighbour: who comes, and the [`digest`] of the roster, so that a worker of an earlier ring is not taken for it.
    Neighbour { rank: usize, digest: [u8; blake3::OUT_LEN] },
    /// Why there will be no ring.
    Refusal(String),
}

impl Key {
    pub(super) fn of(token: &[u8]) -> Self {
        Self(blake3::derive_key("jarre-transformer 2025 collective handshake", token))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Message {
    /// The message as it is sent.
    pub(super) fn seal(&self, key: &Key) -> Vec<u8> {
        let (kind, body) = self.encode();
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([kind, 0]);
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(body);
        let seal = blake3::keyed_hash(&key.0, &bytes);
        bytes.extend(seal.as_bytes());
        bytes
    }

    /// Reads what [`seal`](Self::seal) wrote with the same key.
    fn open(bytes: &[u8], key: &Key) -> Result<Self, String> {
        let (sealed, seal) = bytes.split_last_chunk::<SEAL>().ok_or("it ends too early")?;
        let (prefix, body) = sealed.split_first_chunk::<PREFIX>().ok_or("it ends too early")?;
        let version = u16::from_le_bytes([prefix[4], prefix[5]]);
        if version != VERSION {
            return Err(format!("it speaks version {version} of the protocol where this worker speaks version {VERSION}"));
        }
        // `blake3::Hash` compares in constant time.
        if blake3::keyed_hash(&key.0, sealed) != *seal {
            return Err("its token is another one".into());
        }
        Self::decode(prefix[6], body).ok_or_else(|| "its message makes no sense".into())
    }

    fn encode(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Join { rank, world, address } => {
                let numbers = [*rank as u32, *world as u32].map(u32::to_le_bytes);
                (JOIN, [numbers.as_flattened(), address.to_string().as_bytes()].concat())
            }
            Self::Roster(addresses) => (ROSTER, lines(addresses).into_bytes()),
            Self::Neighbour { rank, digest } => (NEIGHBOUR, [&(*rank as u32).to_le_bytes()[..], digest].concat()),
            Self::Refusal(reason) => (REFUSAL, reason.as_bytes()[..reason.len().min(MAX_BODY)].to_vec()),
        }
    }

    fn decode(kind: u8, body: &[u8]) -> Option<Self> {
        match kind {
            JOIN => {
                let (rank, body) = body.split_first_chunk()?;
                let (world, body) = body.split_first_chunk()?;
                let address = std::str::from_utf8(body).ok()?.parse().ok()?;
                Some(Self::Join { rank: number(*rank), world: number(*world), address })
            }
            ROSTER => std::str::from_utf8(body).ok()?.lines().map(|line| line.parse().ok()).collect::<Option<_>>().map(Self::Roster),
            NEIGHBOUR => {
                let (rank, digest) = body.split_first_chunk()?;
                Some(Self::Neighbour { rank: number(*rank), digest: digest.try_into().ok()? })
            }
            REFUSAL => Some(Self::Refusal(String::from_utf8_lossy(body).into_owned())),
            _ => None,
        }
    }
}

/// Tells one ring from every other.
pub(super) fn digest(roster: &[SocketAddr]) -> [u8; blake3::OUT_LEN] {
    *blake3::hash(lines(roster).as_bytes()).as_bytes()
}

/// A connection that a message is expected from, piece by piece and without waiting: who sends nothing holds nobody up.
#[derive(Debug)]
pub(super) struct Listening {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Listening {
    pub(super) fn new(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, heard: Vec::new() })
    }

    /// The message when it is whole, `None` when more is to come. Not one byte after it is taken: frames may follow.
    pub(super) fn poll(&mut self, key: &Key) -> Result<Option<Message>, String> {
        loop {
            let missing = missing(&self.heard)?;
            if missing == 0 {
                return Message::open(&self.heard, key).map(Some);
            }
            if !self.read(missing)? {
                return Ok(None);
            }
        }
    }

    /// The connection, which blocks again.
    pub(super) fn into_stream(self) -> std::io::Result<TcpStream> {
        self.stream.set_nonblocking(false)?;
        Ok(self.stream)
    }

    /// Whether something came.
    fn read(&mut self, missing: usize) -> Result<bool, String> {
        let mut bytes = [0; 512];
        let room = &mut bytes[..missing.min(512)];
        match self.stream.read(room) {
            Ok(0) => Err("it closed the connection".into()),
            Ok(count) => {
                self.heard.extend(&room[..count]);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(format!("the connection broke: {error}")),
        }
    }
}

/// How many bytes are missing, at least, from a message that starts with `heard`.
fn missing(heard: &[u8]) -> Result<usize, String> {
    let known = heard.len().min(MAGIC.len());
    if heard[..known] != MAGIC[..known] {
        return Err("it speaks another protocol".into());
    }
    let Some(prefix) = heard.first_chunk::<PREFIX>() else { return Ok(PREFIX - heard.len()) };
    match number([prefix[8], prefix[9], prefix[10], prefix[11]]) {
        body if body > MAX_BODY => Err(format!("its message of {body} bytes is too long")),
        body => Ok((PREFIX + body + SEAL).saturating_sub(heard.len())),
    }
}

fn number(bytes: [u8; 4]) -> usize {
    u32::from_le_bytes(bytes) as usize
}

fn lines(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages() -> Vec<Message> {
        let addresses: Vec<SocketAddr> = ["127.0.0.1:80", "[::1]:65535", "10.1.2.3:1"].map(|text| text.parse().unwrap()).into();
        vec![
            Message::Join { rank: 3, world: 1024, address: addresses[1] },
            Message::Neighbour { rank: 7, digest: digest(&addresses) },
            Message::Roster(addresses),
            Message::Roster(Vec::new()),
            Message::Refusal("no – not today".into()),
        ]
    }

    #[test]
    fn what_is_sealed_is_read_with_the_same_token_only() {
        for message in messages() {
            let sealed = message.seal(&Key::of(b"secret"));
            assert_eq!(missing(&sealed), Ok(0));
            assert_eq!(Message::open(&sealed, &Key::of(b"secret")), Ok(message));
            assert!(Message::open(&sealed, &Key::of(b"")).unwrap_err().contains("token"));
        }
    }

    #[test]
    fn another_version_is_named_before_the_token_is_looked_at() {
        let mut sealed = messages()[0].seal(&Key::of(b"of the future"));
        sealed[4] = 2;
        assert_eq!(missing(&sealed), Ok(0));
        assert!(Message::open(&sealed, &Key::of(b"")).unwrap_err().contains("version 2"));
    }

    #[test]
    fn every_beginning_asks_for_more_and_every_changed_bit_is_noticed() {
        let key = Key::of(b"secret");
        for message in messages() {
            let sealed = message.seal(&key);
            for end in 0..sealed.len() {
                let more = missing(&sealed[..end]).unwrap();
                assert!(more > 0 && more <= sealed.len() - end);
                assert!(Message::open(&sealed[..end], &key).is_err());
            }
            for bit in 0..sealed.len() * 8 {
                let mut changed = sealed.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(Message::open(&changed, &key).is_err(), "bit {bit} of {message:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_body_is_refused_or_understood(kind in 0..6_u8, body in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Some(message) = Message::decode(kind, &body) {
                let (kind, body) = message.encode();
                prop_assert_eq!(Message::decode(kind, &body), Some(message));
            }
        }

        #[test]
        fn any_beginning_is_refused_or_bounded(bytes in proptest::collection::vec(any::<u8>(), 0..40), ours in any::<bool>()) {
            let heard = if ours { [&MAGIC[..], &bytes].concat() } else { bytes };
            prop_assert!(missing(&heard).is_err() || missing(&heard).unwrap() <= PREFIX + MAX_BODY + SEAL);
        }
    }
}
