//! One record: 40 bytes of header, the payload, zeros up to a multiple of 8. All numbers are little-endian.
//!
//! ```text
//!  0 header crc32c   over the segment's seed, the record's place, and the header from byte 4
//!  4 payload length  u32
//!  8 kind            u32
//! 12 batch           u32, where in the segment the batch of this record begins
//! 16 payload crc32c  over the payload alone
//! 20 zero            u32
//! 24 index           u64
//! 32 term            u64
//! ```

use std::sync::Arc;

pub(super) const HEADER: usize = 40;

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Entry = 1,
    Vote,
    Committed,
    /// Entries from `index` on are gone.
    Truncate,
    /// Entries up to `index` are gone.
    Purge,
    /// Nothing follows in this segment.
    Seal,
}

impl Kind {
    fn parse(code: u32) -> Option<Self> {
        [Self::Entry, Self::Vote, Self::Committed, Self::Truncate, Self::Purge, Self::Seal].into_iter().find(|&kind| kind as u32 == code)
    }
}

/// A change of the log, as it is queued and as it is read back.
#[derive(Clone, Debug)]
pub(super) struct Op {
    pub kind: Kind,
    pub index: u64,
    pub term: u64,
    pub payload: Arc<[u8]>,
    /// Tells operations apart that say the same; the queue gives it.
    pub serial: u64,
    payload_crc: u32,
}

impl Op {
    /// Computes the payload's checksum, so that whoever writes need not.
    pub(super) fn new(kind: Kind, index: u64, term: u64, payload: Arc<[u8]>) -> Self {
        let payload_crc = crc32c::crc32c(&payload);
        Self { kind, index, term, payload, serial: 0, payload_crc }
    }

    /// Bytes on disk.
    pub(super) fn size(&self) -> u64 {
        size(self.payload.len() as u32)
    }

    /// Appends the record to `out`, as it lies at `offset` of the segment with `seed`, in the batch that begins at `batch`.
    pub(super) fn write(&self, seed: u32, offset: u64, batch: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend([0; 4]);
        for word in [self.payload.len() as u32, self.kind as u32, batch as u32, self.payload_crc, 0] {
            out.extend(word.to_le_bytes());
        }
        out.extend(self.index.to_le_bytes());
        out.extend(self.term.to_le_bytes());
        let crc = header_crc(seed, offset, &out[start + 4..]);
        out[start..start + 4].copy_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&self.payload);
        out.resize(out.len().next_multiple_of(8), 0);
    }
}

/// A header whose checksum holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub len: u32,
    pub kind: Kind,
    pub batch: u64,
    pub index: u64,
    pub term: u64,
    payload_crc: u32,
}

impl Header {
    /// `None` where `bytes` is no header that was written for this place.
    pub(super) fn parse(bytes: &[u8; HEADER], seed: u32, offset: u64) -> Option<Self> {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("a word has four bytes"));
        let double = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("a double word has eight bytes"));
        // Zeros are what most places hold that hold no record; they need no checksum.
        if word(8) == 0 || word(0) != header_crc(seed, offset, &bytes[4..]) || word(20) != 0 {
            return None;
        }
        let header = Self {
            len: word(4),
            kind: Kind::parse(word(8))?,
            batch: u64::from(word(12)),
            index: double(24),
            term: double(32),
            payload_crc: word(16),
        };
        (header.batch <= offset).then_some(header)
    }

    /// The record with its payload; `None` where the payload is not what was written.
    pub(super) fn with_payload(self, payload: &[u8]) -> Option<Op> {
        let Self { kind, index, term, payload_crc, .. } = self;
        (crc32c::crc32c(payload) == payload_crc).then(|| Op { kind, index, term, payload: payload.into(), serial: 0, payload_crc })
    }

    pub(super) fn size(&self) -> u64 {
        size(self.len)
    }
}

fn size(len: u32) -> u64 {
    HEADER as u64 + u64::from(len).next_multiple_of(8)
}

fn header_crc(seed: u32, offset: u64, rest: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(seed, &offset.to_le_bytes()), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back_at_its_place_and_nowhere_else() {
        let op = Op::new(Kind::Entry, 5, 3, Arc::from(b"payload".as_slice()));
        let mut bytes = Vec::new();
        op.write(9, 96, 80, &mut bytes);
        assert_eq!((bytes.len() as u64, bytes.len() % 8), (op.size(), 0));
        let header: &[u8; HEADER] = bytes.first_chunk().unwrap();
        let read = Header::parse(header, 9, 96).unwrap();
        assert_eq!((read.kind, read.index, read.term, read.batch, read.size()), (Kind::Entry, 5, 3, 80, op.size()));
        assert_eq!(read.with_payload(b"payload").unwrap().payload, op.payload);
        assert!(read.with_payload(b"payloae").is_none());
        assert!(Header::parse(header, 9, 104).is_none(), "written elsewhere");
        assert!(Header::parse(header, 8, 96).is_none(), "written to another segment");
    }

    #[test]
    fn a_flip_of_any_bit_of_a_header_is_seen() {
        let mut bytes = Vec::new();
        Op::new(Kind::Vote, 0, 3, Arc::from(b"".as_slice())).write(1, 0, 0, &mut bytes);
        for bit in 0..HEADER * 8 {
            let mut flipped: [u8; HEADER] = *bytes.first_chunk().unwrap();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::parse(&flipped, 1, 0).is_none(), "bit {bit}");
        }
    }
}
