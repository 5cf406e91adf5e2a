use super::{FrameError, Result};

pub(super) const HEADER: usize = 24;
const MAGIC: [u8; 2] = *b"jK";

/// The version of the frames themselves.
pub const VERSION: u8 = 1;

/// The first kind that is free for use; those before are the handshake's.
pub const FIRST_KIND: u8 = 16;

/// What goes over the wire at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// What it is about, from [`FIRST_KIND`] on.
    pub kind: u8,
    /// By which an answer finds its request.
    pub id: u64,
    /// Opaque here.
    pub payload: Vec<u8>,
}

/// The part that says how much follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub kind: u8,
    pub id: u64,
    pub len: u32,
    pub payload_crc: u32,
}

impl Frame {
    /// # Errors
    /// [`FrameError::TooLarge`].
    pub(super) fn encode(&self, max: u32) -> Result<Vec<u8>> {
        let len = u32::try_from(self.payload.len()).ok().filter(|&len| len <= max);
        let len = len.ok_or(FrameError::TooLarge { len: self.payload.len(), max })?;
        let mut bytes = Vec::with_capacity(HEADER + self.payload.len());
        bytes.extend(MAGIC);
        bytes.extend([VERSION, self.kind]);
        bytes.extend(len.to_le_bytes());
        bytes.extend(self.id.to_le_bytes());
        bytes.extend(crc32c::crc32c(&self.payload).to_le_bytes());
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes.extend_from_slice(&self.payload);
        Ok(bytes)
    }
}

impl Header {
    /// # Errors
    /// [`FrameError::NotAFrame`], [`FrameError::Version`], [`FrameError::Checksum`] or [`FrameError::TooLarge`], the first that holds.
    pub(super) fn parse(bytes: &[u8; HEADER], max: u32) -> Result<Self> {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("a word has four bytes"));
        if bytes[..2] != MAGIC {
            return Err(FrameError::NotAFrame(bytes[0], bytes[1]));
        }
        if word(20) != crc32c::crc32c(&bytes[..20]) {
            return Err(FrameError::Checksum { part: "header" });
        }
        if bytes[2] != VERSION {
            return Err(FrameError::Version { theirs: bytes[2], ours: VERSION });
        }
        let len = word(4);
        if len > max {
            return Err(FrameError::TooLarge { len: len as usize, max });
        }
        let id = u64::from_le_bytes(bytes[8..16].try_into().expect("a double word has eight bytes"));
        Ok(Self { kind: bytes[3], id, len, payload_crc: word(16) })
    }

    /// # Errors
    /// [`FrameError::Checksum`].
    pub(super) fn with_payload(self, payload: Vec<u8>) -> Result<Frame> {
        if crc32c::crc32c(&payload) != self.payload_crc {
            return Err(FrameError::Checksum { part: "payload" });
        }
        Ok(Frame { kind: self.kind, id: self.id, payload })
    }
}
