//! The Raft log: a sound one with damage, and segments whose checksums were forged. Damage is refused, or shows nothing that was not
//! written; whatever opens can be read, written to, and opened again, and holds the same.
#![no_main]

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use arbitrary::Arbitrary;
use jarre_kv_store::log::{LogConfig, LogEntry, Mark, RaftLog, SimDisk};
use libfuzzer_sys::fuzz_target;

type Files = BTreeMap<String, Vec<u8>>;

#[derive(Arbitrary, Debug)]
enum Input {
    Damaged(Vec<Damage>),
    Forged(Vec<Segment>),
}

#[derive(Arbitrary, Debug)]
enum Damage {
    Flip { file: u8, at: u16, mask: u8 },
    Overwrite { file: u8, at: u16, with: Vec<u8> },
    Truncate { file: u8, at: u16 },
    Remove { file: u8 },
}

#[derive(Arbitrary, Debug)]
struct Segment {
    sequence: u8,
    name: Option<u64>,
    first_index: u64,
    marks_end: u16,
    reserved: u8,
    records: Vec<Record>,
    tail: Vec<u8>,
}

#[derive(Arbitrary, Debug)]
struct Record {
    kind: u8,
    index: u64,
    term: u64,
    /// `None` begins a batch.
    batch: Option<u16>,
    payload: Vec<u8>,
    is_torn: bool,
}

struct Sound {
    files: Files,
    entries: Vec<LogEntry>,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let disk = SimDisk::new();
    let log = open(&disk).expect("an empty disk takes a log");
    let entries: Vec<_> = (0..40_u8).map(|nth| LogEntry::new(nth.into(), 1 + u64::from(nth / 8), &[nth; 150])).collect();
    log.save_vote(Mark::new(0, 1, b"vote"), drop).expect("the disk is sound");
    for some in entries.chunks(3) {
        log.append_and_wait(some.to_vec()).expect("the disk is sound");
    }
    log.purge(Mark::new(4, 1, b"purged"), drop).expect("the disk is sound");
    drop(log);
    Sound { files: disk.files(), entries }
});

fuzz_target!(init: LazyLock::force(&SOUND), |input: Input| {
    let files = match &input {
        Input::Damaged(damage) => damage.iter().fold(SOUND.files.clone(), damaged),
        Input::Forged(segments) => segments.iter().map(Segment::forge).collect(),
    };
    let disk = SimDisk::with_files(files);
    let Some(log) = open(&disk) else { return };
    let entries = use_log(&log, &disk);
    if matches!(input, Input::Damaged(_)) {
        assert!(entries.iter().all(|entry| SOUND.entries.contains(entry)), "an entry that was never written");
    }
});

fn open(disk: &SimDisk) -> Option<RaftLog> {
    RaftLog::open_inline(Arc::new(disk.clone()), LogConfig::new(1, 2).with_segment_bytes(2048).with_cache_bytes(0)).ok().map(|(log, _)| log)
}

/// Reads all, changes something, and holds the log to what is there when it is opened again. Returns what was there at first.
fn use_log(log: &RaftLog, disk: &SimDisk) -> Vec<LogEntry> {
    let entries = log.read(0..u64::MAX, usize::MAX).expect("what was recovered is readable");
    let state = log.state().expect("nothing failed");
    assert_eq!(entries.len() as u64, state.next - state.first);
    drop(log.append_and_wait(vec![LogEntry::new(state.next, 9, b"one more")]));
    if let Some(last) = entries.last() {
        log.truncate(last.index, drop).expect("the last entry is not purged");
        drop(log.purge(Mark::new(state.first, 1, b""), drop));
    }
    let before = (log.state().expect("nothing failed"), log.read(0..u64::MAX, usize::MAX).expect("it is readable"));
    let again = open(&disk.after_power_cut(|| false)).expect("what was written opens");
    assert_eq!(before, (again.state().expect("nothing failed"), again.read(0..u64::MAX, usize::MAX).expect("it is readable")));
    entries
}

fn damaged(mut files: Files, damage: &Damage) -> Files {
    let (Damage::Flip { file, .. } | Damage::Overwrite { file, .. } | Damage::Truncate { file, .. } | Damage::Remove { file }) = damage;
    let Some(name) = files.keys().nth(usize::from(*file) % files.len().max(1)).cloned() else { return files };
    let bytes = files.get_mut(&name).expect("the name was taken from there");
    let place = |at: u16| usize::from(at) % (bytes.len() + 1);
    match damage {
        Damage::Flip { at, mask, .. } => {
            let at = place(*at);
            bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= mask);
        }
        Damage::Overwrite { at, with, .. } => {
            let at = place(*at);
            bytes[at..].iter_mut().zip(with).for_each(|(byte, new)| *byte = *new);
        }
        Damage::Truncate { at, .. } => {
            let at = place(*at);
            bytes.truncate(at);
        }
        Damage::Remove { .. } => drop(files.remove(&name)),
    }
    files
}

impl Segment {
    /// A file whose header and records have checksums that hold.
    fn forge(&self) -> (String, Vec<u8>) {
        let mut header = [b"jarrelog".as_slice(), &1_u32.to_le_bytes(), &[0; 4]].concat();
        for field in [1, 2, u64::from(self.sequence), self.first_index, 0, u64::from(self.marks_end), u64::from(self.reserved)] {
            header.extend(field.to_le_bytes());
        }
        let crc = crc32c::crc32c_append(crc32c::crc32c(&header[..12]), &header[16..]);
        header[12..16].copy_from_slice(&crc.to_le_bytes());
        let seed = crc32c::crc32c(&header);
        let bytes = self.records.iter().fold(header, |bytes, record| record.forge(seed, bytes));
        (format!("wal-{:016x}.log", self.name.unwrap_or(self.sequence.into())), [bytes, self.tail.clone()].concat())
    }
}

impl Record {
    fn forge(&self, seed: u32, mut bytes: Vec<u8>) -> Vec<u8> {
        let offset = bytes.len() as u64;
        let batch = self.batch.map_or(offset as u32, u32::from);
        let payload_crc = crc32c::crc32c(&self.payload) ^ u32::from(self.is_torn);
        let mut header = Vec::new();
        for word in [self.payload.len() as u32, u32::from(self.kind % 8), batch, payload_crc, 0] {
            header.extend(word.to_le_bytes());
        }
        header.extend(self.index.to_le_bytes());
        header.extend(self.term.to_le_bytes());
        bytes.extend(crc32c::crc32c_append(crc32c::crc32c_append(seed, &offset.to_le_bytes()), &header).to_le_bytes());
        bytes.extend(header);
        bytes.extend_from_slice(&self.payload);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }
}
