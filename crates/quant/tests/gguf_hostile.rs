//! Files that lie: an error that names the field, never a panic.
#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_quant::gguf::{Error, GgufFile, GgufWriter, TensorType, Value};

/// A file as the bytes of its parts say it, sound or not.
struct Forged {
    version: u32,
    tensors: u64,
    entries: u64,
    body: Vec<u8>,
}

impl Forged {
    fn new(tensors: u64, entries: u64) -> Self {
        Self { version: 3, tensors, entries, body: Vec::new() }
    }

    fn u32(mut self, value: u32) -> Self {
        self.body.extend(value.to_le_bytes());
        self
    }

    fn u64(mut self, value: u64) -> Self {
        self.body.extend(value.to_le_bytes());
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.body.extend(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        self.u64(text.len() as u64).raw(text.as_bytes())
    }

    fn tensor(self, name: &str, dims: &[u64], id: u32, offset: u64) -> Self {
        let described = self.text(name).u32(dims.len() as u32);
        dims.iter().fold(described, |forged, &dim| forged.u64(dim)).u32(id).u64(offset)
    }

    /// Pads the header as it has to be with an alignment of 32, and adds tensor data.
    fn data(self, bytes: usize) -> Self {
        let header = 24 + self.body.len();
        let padding = header.next_multiple_of(32) - header;
        self.raw(&vec![0; padding + bytes])
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.tensors.to_le_bytes());
        bytes.extend(self.entries.to_le_bytes());
        bytes.extend(&self.body);
        bytes
    }

    fn open(&self) -> Result<GgufFile, Error> {
        GgufFile::from_bytes(self.bytes())
    }

    /// The field and the reason of the error; the position has to be inside the file.
    fn problem(&self) -> (String, String) {
        match self.open() {
            Err(Error::Malformed { field, reason, offset, .. }) => {
                assert!(offset <= self.bytes().len() as u64);
                (field, reason)
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn refused(&self, field: &str, reason: &str) {
        let (found_field, found_reason) = self.problem();
        assert_eq!(found_field, field);
        assert!(found_reason.contains(reason), "{found_reason}");
    }
}

const HUGE: u64 = 1 << 63;
const F32: u32 = 0;
const Q8_0: u32 = 8;

#[test]
fn what_is_no_gguf_file_of_a_known_version_is_said_to_be_so() {
    let message = |bytes: &[u8]| GgufFile::from_bytes(bytes.to_vec()).unwrap_err().to_string();
    assert_eq!(
        message(b"PK\x03\x04 and more"),
        "(memory) is malformed: magic number at byte 0: it is PK\\x03\\x04 and not GGUF; fetch it again"
    );
    assert!(message(b"").contains("magic number at byte 0: it takes 4 bytes and 0 are left"));
    assert!(message(b"GGUF\0\0\0\x03").contains("byte order is big-endian, which is not supported; convert it to little-endian"));
    assert!(message(b"GGUF\x01\0\0\0").contains("version is 1, which is not supported; convert it to version 3"));
    assert!(message(b"GGUF\0\0\0\0").contains("version is 0"));
    assert!(message(b"GGUF\x04\0\0\0").contains("version is 4"));
    let missing = GgufFile::open("no/such.gguf").unwrap_err().to_string();
    assert!(missing.starts_with("cannot access no/such.gguf: "), "{missing}");
}

#[test]
fn counts_and_lengths_that_do_not_fit_are_refused() {
    for count in [1, 2, u64::from(u32::MAX), HUGE, u64::MAX] {
        Forged::new(count, 0).refused("tensor count", "are announced and 8 bytes are left");
        Forged::new(0, count).refused("metadata count", "are announced and 0 bytes are left");
        let long = count.saturating_add(100);
        Forged::new(0, 1).u64(long).raw(&[0; 20]).refused("length of metadata key 0", "20 bytes are left");
        Forged::new(0, 1).text("key").u32(8).u64(long).refused("length of value of `key`", "0 bytes are left");
        for id in (0..=12).filter(|&id| id != 9) {
            let forged = Forged::new(0, 1).text("key").u32(9).u32(id).u64(long).raw(&[0; 9]);
            forged.refused("length of the array `key`", "9 bytes are left");
        }
        Forged::new(0, 1).text("key").u32(9).u32(9).u64(long).raw(&[0; 9]).refused("length of the array `key`", "at least 12");
    }
    Forged::new(0, 1).text("key").u32(9).u32(8).u64(1).u64(HUGE).refused("length of element 0 of `key`", "0 bytes are left");
    Forged::new(0, 1).text(&"k".repeat(65_536)).raw(&[0; 20]).refused("metadata key 0", "at most 65535 are allowed");
}

#[test]
fn keys_and_values_that_are_not_allowed_are_refused() {
    let padded = |forged: Forged| forged.raw(&[0; 20]);
    padded(Forged::new(0, 1).text("")).refused("metadata key 0", "it is empty");
    padded(Forged::new(0, 1).u64(2).raw(b"\xc3(")).refused("metadata key 0", "not UTF-8");
    padded(Forged::new(0, 1).text("key").u32(13)).refused("type of `key`", "there is no type 13");
    padded(Forged::new(0, 1).text("key").u32(9).u32(13)).refused("type of the elements of `key`", "there is no type 13");
    padded(Forged::new(0, 1).text("key").u32(7).raw(&[2])).refused("value of `key`", "a bool is 0 or 1 and not 2");
    padded(Forged::new(0, 1).text("key").u32(8).u64(1).raw(&[0xff])).refused("value of `key`", "not UTF-8");
    let twice = Forged::new(0, 2).text("key").u32(0).raw(&[1]).text("key").u32(0).raw(&[1]);
    twice.refused("metadata key 1", "`key` is there a second time");
}

#[test]
fn arrays_nest_four_deep_and_no_deeper() {
    let nested = |depth: u32| {
        let start = Forged::new(0, 1).text("key").u32(9);
        (1..depth).fold(start, |forged, _| forged.u32(9).u64(1)).u32(0).u64(1).raw(&[7])
    };
    assert!(nested(4).open().is_ok());
    for depth in [5, 6, 1000, 100_000] {
        nested(depth).refused("value of `key`", "more than 4 deep");
    }
}

#[test]
fn alignments_that_are_no_powers_of_two_are_refused() {
    let aligned = |alignment: u32| Forged::new(0, 1).text("general.alignment").u32(4).u32(alignment);
    for alignment in [0, 3, 24, u32::MAX] {
        aligned(alignment).refused("`general.alignment`", "has to be a power of two");
    }
    for alignment in [1, 8, 4096, 1 << 31] {
        assert_eq!(aligned(alignment).open().unwrap().alignment(), alignment);
    }
    Forged::new(0, 1).text("general.alignment").u32(10).u64(32).refused("`general.alignment`", "has to be u32");
}

#[test]
fn tensors_that_cannot_be_are_refused() {
    let one = |dims: &[u64], id, offset| Forged::new(1, 0).tensor("t", dims, id, offset).data(128);
    assert!(one(&[32], F32, 0).open().is_ok());
    one(&[], F32, 0).refused("dimensions of tensor `t`", "there are 0, and between 1 and 4 are allowed");
    one(&[1; 5], F32, 0).refused("dimensions of tensor `t`", "there are 5");
    Forged::new(1, 0).text("t").u32(u32::MAX).raw(&[0; 64]).refused("dimensions of tensor `t`", "there are 4294967295");
    one(&[32, 0], F32, 0).refused("shape of tensor `t`", "is 0");
    one(&[31], Q8_0, 0).refused("shape of tensor `t`", "not a multiple of 32");
    for dims in [&[HUGE, 2][..], &[1 << 32, 1 << 32], &[1 << 62], &[u64::MAX, u64::MAX, u64::MAX, u64::MAX]] {
        one(dims, F32, 0).refused("shape of tensor `t`", "more bytes than can be counted");
    }
    one(&[1 << 60], F32, 0).refused("offset of tensor `t`", "not inside the 128 bytes");
    Forged::new(1, 0).tensor("", &[32], F32, 0).data(128).refused("name of tensor 0", "it is empty");
    let unknown = Forged::new(1, 0).tensor("t", &[256], 10, 0).data(128).open().unwrap_err().to_string();
    assert!(unknown.contains("type of tensor `t` is 10 (Q2_K), which is not supported"), "{unknown}");
    assert!(matches!(one(&[32], u32::MAX, 0).open(), Err(Error::Unsupported { .. })));
}

#[test]
fn tensors_lie_aligned_inside_the_file_and_apart() {
    let one = |offset| Forged::new(1, 0).tensor("t", &[32], F32, offset).data(160);
    assert!(one(32).open().is_ok());
    one(16).refused("offset of tensor `t`", "16 is not a multiple of the alignment 32");
    one(64).refused("offset of tensor `t`", "not inside the 160 bytes");
    for offset in [HUGE, u64::MAX - 31, u64::MAX - 127] {
        one(offset).refused("offset of tensor `t`", "not inside");
    }
    let two = |first, second| Forged::new(2, 0).tensor("a", &[32], F32, first).tensor("b", &[32], F32, second).data(256);
    assert!(two(0, 128).open().is_ok());
    assert!(two(128, 0).open().is_ok());
    two(0, 96).refused("offset of tensor `b`", "the data overlap those of `a`");
    two(96, 0).refused("offset of tensor `a`", "the data overlap those of `b`");
    two(32, 32).refused("offset of tensor `b`", "the data overlap");
    let same = Forged::new(2, 0).tensor("t", &[8], F32, 0).tensor("t", &[8], F32, 32).data(64);
    same.refused("name of tensor 1", "`t` is there a second time");
}

#[test]
fn a_header_that_has_no_end_is_given_up() {
    /// A tebibyte that claims to be one array of bytes.
    struct Endless(Vec<u8>, u64);

    impl std::io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let start = usize::try_from(self.1).unwrap();
            let known = self.0.get(start..).unwrap_or_default();
            for (place, byte) in buffer.iter_mut().enumerate() {
                *byte = known.get(place).copied().unwrap_or(0);
            }
            self.1 += buffer.len() as u64;
            Ok(buffer.len())
        }
    }

    impl std::io::Seek for Endless {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.1 = match to {
                std::io::SeekFrom::Start(place) => place,
                std::io::SeekFrom::End(0) => 1 << 40,
                other => panic!("{other:?}"),
            };
            Ok(self.1)
        }
    }

    let forged = Forged::new(0, 1).text("key").u32(9).u32(0).u64(1 << 39);
    let error = GgufFile::from_reader(Endless(forged.bytes(), 0)).unwrap_err().to_string();
    assert!(error.contains("length of the array `key`"), "{error}");
}

/// A file with a value of each type and a tensor of each written type.
fn sound() -> Vec<u8> {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/types.gguf");
    let mut writer = GgufWriter::new();
    writer.set_metadata(GgufFile::open(golden).unwrap().metadata().clone());
    writer.insert("general.alignment", Value::U32(16));
    for one in [TensorType::F32, TensorType::F16, TensorType::BF16, TensorType::Q8_0, TensorType::Q4_0] {
        writer.add_tensor(one.name(), &[32, 2], one, vec![1.0; 64]).unwrap();
    }
    let mut bytes = Vec::new();
    writer.write_to(&mut bytes).unwrap();
    bytes
}

fn read_all(file: &GgufFile) {
    for tensor in file.tensors() {
        assert_eq!(file.read_f32(tensor.name()).unwrap().len() as u64, tensor.elements());
        assert_eq!(file.read_raw(tensor.name()).unwrap().len() as u64, tensor.bytes());
    }
}

#[test]
fn a_file_cut_at_any_byte_is_refused() {
    let bytes = sound();
    let file = GgufFile::from_bytes(bytes.clone()).unwrap();
    let last = file.tensors().last().unwrap();
    let end = (file.data_offset() + last.offset() + last.bytes()) as usize;
    for cut in 0..bytes.len() {
        match GgufFile::from_bytes(bytes[..cut].to_vec()) {
            Ok(file) => {
                assert!(cut >= end, "{cut} bytes of {end} were taken for whole");
                read_all(&file);
            }
            Err(error) => assert!(cut < end && matches!(error, Error::Malformed { .. }), "{cut}: {error}"),
        }
    }
}

#[test]
fn a_file_with_any_byte_changed_is_refused_or_readable() {
    let bytes = sound();
    for place in 0..bytes.len() {
        let masks = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff];
        for mask in masks {
            let mut changed = bytes.clone();
            changed[place] ^= mask;
            if let Ok(file) = GgufFile::from_bytes(changed) {
                read_all(&file);
            }
        }
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_open_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shrinks.gguf");
    std::fs::write(&path, sound()).unwrap();
    let file = GgufFile::open(&path).unwrap();
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(file.data_offset()).unwrap();
    assert!(matches!(file.read_f32("Q4_0"), Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::UnexpectedEof));
}
