//! The header of a segment, 72 bytes, and the names of segments. All numbers are little-endian.
//!
//! ```text
//!  0 magic        8 bytes
//!  8 version      u32
//! 12 crc32c       u32, over the other 68 bytes
//! 16 cluster, 24 node, 32 sequence, 40 first index, 48 salt: u64 each
//! 56 marks end    u64, where the marks that the segment begins with end
//! 64 reserved     u64, the length of the file when it was made; it never shrinks
//! ```

use super::{LogError, Result};

pub(super) const SEGMENT_HEADER: usize = 72;
const MAGIC: [u8; 8] = *b"jarrelog";
const VERSION: u32 = 1;

/// Whose a segment is and where it stands in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub cluster: u64,
    pub node: u64,
    pub sequence: u64,
    /// The index that the next entry had when the segment was begun.
    pub first_index: u64,
    pub salt: u64,
    pub marks_end: u64,
    pub reserved: u64,
}

impl SegmentHeader {
    pub(super) fn encode(&self) -> [u8; SEGMENT_HEADER] {
        let mut bytes = [0; SEGMENT_HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        let fields = [self.cluster, self.node, self.sequence, self.first_index, self.salt, self.marks_end, self.reserved];
        for (to, field) in bytes[16..].chunks_exact_mut(8).zip(fields) {
            to.copy_from_slice(&field.to_le_bytes());
        }
        let crc = header_crc(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// # Errors
    /// Where the bytes are no header, or one of a version that is not understood.
    pub(super) fn parse(bytes: &[u8; SEGMENT_HEADER], file: &str) -> Result<Self> {
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("a word has four bytes"));
        let field = |nth: usize| u64::from_le_bytes(bytes[16 + 8 * nth..][..8].try_into().expect("a field has eight bytes"));
        if bytes[..8] != MAGIC {
            return Err(LogError::corrupt(file, 0, "it does not begin as a segment does"));
        }
        if word(12) != header_crc(bytes) {
            return Err(LogError::corrupt(file, 0, "the header's checksum does not hold"));
        }
        if word(8) != VERSION {
            return Err(LogError::corrupt(file, 8, format!("it has version {}, and {VERSION} is read here", word(8))));
        }
        Ok(Self {
            cluster: field(0),
            node: field(1),
            sequence: field(2),
            first_index: field(3),
            salt: field(4),
            marks_end: field(5),
            reserved: field(6),
        })
    }

    /// What the checksums of this segment's records begin with.
    pub(super) fn seed(&self) -> u32 {
        crc32c::crc32c(&self.encode())
    }
}

/// The name of a segment.
pub(super) fn name(sequence: u64) -> String {
    format!("wal-{sequence:016x}.log")
}

/// The name of a segment that is being made.
pub(super) fn draft_name(sequence: u64) -> String {
    format!("wal-{sequence:016x}.new")
}

pub(super) fn is_draft(name: &str) -> bool {
    name.strip_suffix(".new").is_some_and(|stem| sequence(&format!("{stem}.log")).is_some())
}

/// The sequence number in a name; `None` where it is no segment's.
pub(super) fn sequence(file: &str) -> Option<u64> {
    let digits = file.strip_prefix("wal-")?.strip_suffix(".log")?;
    let sequence = u64::from_str_radix(digits, 16).ok()?;
    // There must be a number for the segment after it.
    (sequence < u64::MAX && name(sequence) == file).then_some(sequence)
}

fn header_crc(bytes: &[u8; SEGMENT_HEADER]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: SegmentHeader =
        SegmentHeader { cluster: 1, node: 2, sequence: 3, first_index: 4, salt: 5, marks_end: 72, reserved: 4096 };

    #[test]
    fn a_header_is_read_back_and_a_flip_of_any_bit_is_seen() {
        let bytes = HEADER.encode();
        assert_eq!(SegmentHeader::parse(&bytes, "file").unwrap(), HEADER);
        for bit in 0..SEGMENT_HEADER * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentHeader::parse(&flipped, "file").is_err(), "bit {bit}");
        }
    }

    #[test]
    fn only_names_as_they_are_written_are_segments() {
        assert_eq!(sequence(&name(0xabc)), Some(0xabc));
        assert!(is_draft(&draft_name(7)) && !is_draft(&name(7)));
        for other in ["wal-1.log", "wal-000000000000000A.log", "wal-+00000000000000a.log", "lock", "wal-0000000000000001.log~"] {
            assert_eq!(sequence(other), None, "{other}");
        }
    }
}
