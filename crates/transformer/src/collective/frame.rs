//! What travels around the ring: frames of a header and a payload.

use std::fmt;

const MAGIC: [u8; 4] = *b"JRFR";
const VERSION: u16 = 1;
const CHECKED: usize = FrameHeader::LEN - size_of::<u64>();

/// What a frame is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Sums over all workers.
    AllReduceSum,
    /// Means over all workers.
    AllReduceMean,
    /// What each worker has, for all.
    AllGather,
    /// What one worker has, for all.
    Broadcast,
    /// Nothing but waiting for each other.
    Barrier,
    /// A worker's last word; the payload says why.
    GiveUp,
    /// Sums of integers over all workers.
    AllReduceSumIntegers,
    /// The largest over all workers.
    AllReduceMax,
}

/// One call of a collective operation, as a worker sees it. The workers of a ring make the same calls in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is asked for.
    pub operation: Operation,
    /// Whose values are sent, in a broadcast; who gave up first, in a last word; else zero.
    pub root: u32,
    /// How many calls this worker has made before on this ring.
    pub sequence: u64,
    /// The values of the whole call; in an all-gather those of the block that is on its way.
    pub count: u64,
}

/// What stands before every payload: 40 bytes, little-endian.
///
/// | bytes | |
/// | --- | --- |
/// | 0..4 | `JRFR` |
/// | 4..6 | version of the format: 1 |
/// | 6 | operation |
/// | 7 | zero |
/// | 8..12 | root |
/// | 12..16 | length of the payload in bytes, at most [`MAX_PAYLOAD`](Self::MAX_PAYLOAD) |
/// | 16..24 | sequence number |
/// | 24..32 | count of values |
/// | 32..40 | 64-bit FNV-1a (IETF draft-eastlake-fnv) of the bytes before |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The call that the payload is a part of.
    pub call: Call,
    /// The length of the payload in bytes.
    pub payload_len: u32,
}

impl Operation {
    const ALL: [(u8, Self); 8] = [
        (1, Self::AllReduceSum),
        (2, Self::AllReduceMean),
        (3, Self::AllGather),
        (4, Self::Broadcast),
        (5, Self::Barrier),
        (6, Self::GiveUp),
        (7, Self::AllReduceSumIntegers),
        (8, Self::AllReduceMax),
    ];

    fn tag(self) -> u8 {
        Self::ALL.iter().find(|(_, operation)| *operation == self).expect("the table lists every operation").0
    }
}

impl FrameHeader {
    /// The length of a header in bytes.
    pub const LEN: usize = 40;
    /// The length of the longest payload in bytes.
    pub const MAX_PAYLOAD: u32 = 256 * 1024;

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// Says what is wrong with bytes that no sound worker sends: other magic or version, a checksum that does not fit, an unknown
    /// operation, or a payload that is too long.
    pub fn parse(bytes: &[u8; Self::LEN]) -> Result<Self, String> {
        if bytes[..4] != MAGIC {
            return Err("it does not start as a frame".into());
        }
        let version = u16::from_le_bytes(field(bytes, 4));
        if version != VERSION {
            return Err(format!("it is a frame of version {version}, not {VERSION}"));
        }
        if u64::from_le_bytes(field(bytes, CHECKED)) != fnv1a(&bytes[..CHECKED]) {
            return Err("its checksum does not fit".into());
        }
        let operation = Operation::ALL.iter().find(|(tag, _)| *tag == bytes[6] && bytes[7] == 0);
        let (_, operation) = operation.ok_or_else(|| format!("its operation {} is unknown", bytes[6]))?;
        let payload_len = u32::from_le_bytes(field(bytes, 12));
        if payload_len > Self::MAX_PAYLOAD {
            return Err(format!("its payload of {payload_len} bytes is longer than {}", Self::MAX_PAYLOAD));
        }
        let (root, sequence) = (u32::from_le_bytes(field(bytes, 8)), u64::from_le_bytes(field(bytes, 16)));
        let call = Call { operation: *operation, root, sequence, count: u64::from_le_bytes(field(bytes, 24)) };
        Ok(Self { call, payload_len })
    }

    /// The header as it is sent.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let Call { operation, root, sequence, count } = self.call;
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&VERSION.to_le_bytes());
        bytes[6] = operation.tag();
        bytes[8..12].copy_from_slice(&root.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.payload_len.to_le_bytes());
        bytes[16..24].copy_from_slice(&sequence.to_le_bytes());
        bytes[24..32].copy_from_slice(&count.to_le_bytes());
        let checksum = fnv1a(&bytes[..CHECKED]);
        bytes[CHECKED..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, root, count, .. } = self;
        match operation {
            Operation::AllReduceSum => write!(f, "all_reduce_sum of {count} values"),
            Operation::AllReduceSumIntegers => write!(f, "all_reduce_sum_integers of {count} values"),
            Operation::AllReduceMax => write!(f, "all_reduce_max of {count} values"),
            Operation::AllReduceMean => write!(f, "all_reduce_mean of {count} values"),
            Operation::AllGather => write!(f, "all_gather"),
            Operation::Broadcast => write!(f, "broadcast of {count} values from rank {root}"),
            Operation::Barrier => write!(f, "barrier"),
            Operation::GiveUp => write!(f, "nothing more"),
        }
    }
}

fn field<const N: usize>(bytes: &[u8; FrameHeader::LEN], at: usize) -> [u8; N] {
    *bytes[at..].first_chunk().expect("every field lies inside the header")
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers() -> impl Strategy<Value = FrameHeader> {
        let operations = proptest::sample::select(Operation::ALL.to_vec());
        let fields = (operations, any::<u32>(), any::<u64>(), any::<u64>(), 0..=FrameHeader::MAX_PAYLOAD);
        fields.prop_map(|((_, operation), root, sequence, count, payload_len)| FrameHeader {
            call: Call { operation, root, sequence, count },
            payload_len,
        })
    }

    /// With a checksum that fits, as a faulty worker would send it.
    fn sealed(mut bytes: [u8; FrameHeader::LEN]) -> [u8; FrameHeader::LEN] {
        let checksum = fnv1a(&bytes[..CHECKED]);
        bytes[CHECKED..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(header in headers()) {
            prop_assert_eq!(FrameHeader::parse(&header.to_bytes()), Ok(header));
        }

        #[test]
        fn a_change_of_any_byte_is_noticed(header in headers(), at in 0..FrameHeader::LEN, mask in 1..=u8::MAX) {
            let mut bytes = header.to_bytes();
            bytes[at] ^= mask;
            prop_assert!(FrameHeader::parse(&bytes).is_err());
        }

        #[test]
        fn any_bytes_with_a_fitting_checksum_are_refused_or_written_the_same(bytes in any::<[u8; 32]>(), dressed in any::<bool>()) {
            let mut header = [0; FrameHeader::LEN];
            header[..32].copy_from_slice(&bytes);
            if dressed {
                header[..8].copy_from_slice(&[b'J', b'R', b'F', b'R', 1, 0, bytes[6] % 10, 0]);
                header[14] %= 8;
                header[15] = 0;
            }
            if let Ok(parsed) = FrameHeader::parse(&sealed(header)) {
                prop_assert_eq!(parsed.to_bytes(), sealed(header));
            }
        }
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        // The test vectors of the specification.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn each_defect_is_named() {
        let header = FrameHeader { call: Call { operation: Operation::Barrier, root: 0, sequence: 3, count: 0 }, payload_len: 0 };
        let cases = [(0, b'X', "start as a frame"), (4, 9, "version 9"), (6, 77, "operation 77"), (7, 1, "operation 5"), (15, 1, "longer")];
        for (at, value, complaint) in cases {
            let mut bytes = header.to_bytes();
            bytes[at] = value;
            let error = FrameHeader::parse(&sealed(bytes)).unwrap_err();
            assert!(error.contains(complaint), "{error}");
        }
        let mut bytes = header.to_bytes();
        bytes[16] ^= 1;
        assert!(FrameHeader::parse(&bytes).unwrap_err().contains("checksum"));
    }
}
