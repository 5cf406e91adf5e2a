//! From the files of a folder to a log that can be written to, or the place where that is refused.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use super::{
    Disk, DiskFile, LogConfig, LogError, Result,
    contents::{Contents, Place},
    flusher::{Flusher, Segment, next_index},
    record::{HEADER, Header, Kind, Op},
    segment::{self, SEGMENT_HEADER, SegmentHeader},
    window::{STRETCH, Window},
};

/// What was found when a log was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Segments read.
    pub segments: usize,
    /// Records read, marks that segments repeat included.
    pub records: u64,
    /// Bytes after the last whole record that were no zeros: pieces of a write that was never acknowledged, now cut off.
    pub torn_bytes: u64,
}

/// A log as it lies on disk.
#[derive(Debug)]
pub(super) struct Recovered {
    pub flusher: Flusher,
    pub contents: Contents,
    pub files: BTreeMap<u64, Arc<dyn DiskFile>>,
    pub recovery: Recovery,
}

/// # Errors
/// [`LogError::Corrupt`], [`LogError::Foreign`], or [`LogError::Io`].
pub(super) fn recover(disk: Arc<dyn Disk>, config: LogConfig) -> Result<Recovered> {
    let (stale, sequences) = segments(&*disk)?;
    let mut replay = Replay::new(&*disk, &config, &sequences)?;
    let mut sealed = VecDeque::new();
    let mut active = None;
    for (nth, &sequence) in sequences.iter().enumerate() {
        let is_last = nth + 1 == sequences.len();
        let (segment, is_sealed) = replay.segment(sequence, is_last)?;
        if is_sealed { sealed.push_back(segment) } else { active = Some(segment) }
    }
    replay.check_beginning(&sequences)?;
    // A rename or a removal whose sync failed may be in memory alone.
    remove(&*disk, &stale)?;
    let Replay { contents, files, recovery, next_index, .. } = replay;
    let marks = contents.marks.clone();
    Ok(Recovered { flusher: Flusher { disk, config, sealed, active, marks, next_index }, contents, files, recovery })
}

/// The files to remove, and the segments to read: the latest that follow one another. Older ones before a gap were being removed, in an
/// order that a crash may have mixed; if one of those missing was needed, a hole will show it.
fn segments(disk: &dyn Disk) -> Result<(Vec<String>, Vec<u64>)> {
    let names = disk.list().map_err(LogError::io("list", "."))?;
    let mut sequences: Vec<u64> = names.iter().filter_map(|name| segment::sequence(name)).collect();
    sequences.sort_unstable();
    let start = sequences.windows(2).rposition(|pair| pair[0] + 1 != pair[1]).map_or(0, |gap| gap + 1);
    let current = sequences.split_off(start);
    let drafts = names.into_iter().filter(|name| segment::is_draft(name));
    Ok((drafts.chain(sequences.into_iter().map(segment::name)).collect(), current))
}

fn remove(disk: &dyn Disk, names: &[String]) -> Result<()> {
    for name in names {
        disk.remove(name).map_err(LogError::io("remove", name))?;
    }
    disk.sync_dir().map_err(LogError::io("sync the folder of", "."))
}

struct Replay<'a> {
    disk: &'a dyn Disk,
    config: &'a LogConfig,
    contents: Contents,
    next_index: u64,
    files: BTreeMap<u64, Arc<dyn DiskFile>>,
    recovery: Recovery,
}

/// How far a segment was read.
struct Scan {
    offset: u64,
    /// Where the batch that was read last begins.
    batch: u64,
    highest: Option<u64>,
    is_sealed: bool,
}

impl<'a> Replay<'a> {
    fn new(disk: &'a dyn Disk, config: &'a LogConfig, sequences: &[u64]) -> Result<Self> {
        let first = match sequences.first() {
            Some(&oldest) => read_header(&mut open(disk, oldest)?.1, &segment::name(oldest))?.first_index,
            None => 0,
        };
        let contents = Contents::starting_at(first);
        Ok(Self { disk, config, contents, next_index: first, files: BTreeMap::new(), recovery: Recovery::default() })
    }

    fn segment(&mut self, sequence: u64, is_last: bool) -> Result<(Segment, bool)> {
        let name = segment::name(sequence);
        let (file, mut window) = open(self.disk, sequence)?;
        let header = read_header(&mut window, &name)?;
        self.check_header(&header, sequence, window.len(), &name)?;
        let scan = self.records(&mut window, &header, &name)?;
        if !scan.is_sealed {
            check_tail(&mut window, &header, &scan, is_last, &name)?;
        }
        if is_last {
            self.recovery.torn_bytes = heal(&mut window, &*file, &scan).map_err(LogError::io("mend", &name))?;
        }
        self.recovery.segments += 1;
        self.files.insert(sequence, file.clone());
        Ok((Segment { header, file, end: scan.offset, len: window.len(), highest: scan.highest }, scan.is_sealed))
    }

    fn check_header(&self, header: &SegmentHeader, sequence: u64, len: u64, name: &str) -> Result<()> {
        let SegmentHeader { cluster, node, .. } = *header;
        if (cluster, node) != (self.config.cluster, self.config.node) {
            return Err(LogError::Foreign { file: name.to_owned(), cluster, node });
        }
        if header.sequence != sequence {
            return Err(LogError::corrupt(name, 32, format!("it is segment {} under another name", header.sequence)));
        }
        if len < header.reserved {
            return Err(LogError::corrupt(name, len, format!("it ends here, and was made {} bytes long", header.reserved)));
        }
        if header.first_index != self.next_index {
            let problem =
                format!("it begins before entry {}, and the segment before it ends before {}", header.first_index, self.next_index);
            return Err(LogError::corrupt(name, 40, problem));
        }
        Ok(())
    }

    /// Takes records until one is not whole.
    fn records(&mut self, window: &mut Window, header: &SegmentHeader, name: &str) -> Result<Scan> {
        let start = SEGMENT_HEADER as u64;
        let mut scan = Scan { offset: start, batch: start, highest: None, is_sealed: false };
        let seed = header.seed();
        while let Some((record, op)) = read_record(window, seed, scan.offset).map_err(LogError::io("read", name))? {
            if record.batch != scan.batch && record.batch != scan.offset {
                break;
            }
            let place = Place { sequence: header.sequence, offset: scan.offset, seed };
            self.take(&op, place, name)?;
            scan.highest = scan.highest.max((op.kind == Kind::Entry).then_some(op.index));
            scan.batch = record.batch;
            scan.offset += record.size();
            if op.kind == Kind::Seal {
                scan.is_sealed = true;
                break;
            }
        }
        if scan.offset < header.marks_end {
            return Err(LogError::corrupt(name, scan.offset, "the marks that it begins with are not whole"));
        }
        Ok(scan)
    }

    fn take(&mut self, op: &Op, place: Place, name: &str) -> Result<()> {
        self.contents.apply(op, Some(place)).map_err(|misfit| LogError::corrupt(name, place.offset, misfit.to_string()))?;
        self.next_index = next_index(self.next_index, op);
        self.recovery.records += 1;
        Ok(())
    }

    /// Nothing that was not purged may be missing before the oldest segment.
    fn check_beginning(&self, sequences: &[u64]) -> Result<()> {
        let purged = self.contents.marks.purged.as_ref().map(|mark| mark.index);
        let missing = match (sequences.first(), purged) {
            (None | Some(1), _) => false,
            (Some(_), None) => true,
            (Some(_), Some(purged)) => self.contents.first() > purged + 1,
        };
        if missing {
            let problem = format!("entries before {} are missing, and they were not purged", self.contents.first());
            return Err(LogError::corrupt(&segment::name(sequences[0]), 0, problem));
        }
        Ok(())
    }
}

fn open(disk: &dyn Disk, sequence: u64) -> Result<(Arc<dyn DiskFile>, Window)> {
    let name = segment::name(sequence);
    let file = disk.open(&name).map_err(LogError::io("open", &name))?;
    let window = Window::new(file.clone(), STRETCH).map_err(LogError::io("open", &name))?;
    Ok((file, window))
}

fn read_header(window: &mut Window, name: &str) -> Result<SegmentHeader> {
    let bytes = window.get(0, SEGMENT_HEADER as u64).map_err(LogError::io("read", name))?;
    let Some(bytes) = bytes.and_then(|bytes| bytes.first_chunk()) else {
        return Err(LogError::corrupt(name, window.len(), "it ends within its header"));
    };
    SegmentHeader::parse(bytes, name)
}

/// The record at `offset`; `None` where none stands there whole.
pub(super) fn read_record(window: &mut Window, seed: u32, offset: u64) -> std::io::Result<Option<(Header, Op)>> {
    let Some(header) = read_record_header(window, seed, offset)? else { return Ok(None) };
    if header.size() > window.len() - offset {
        return Ok(None);
    }
    let payload = window.get(offset + HEADER as u64, u64::from(header.len))?;
    Ok(payload.and_then(|payload| header.with_payload(payload)).map(|op| (header, op)))
}

fn read_record_header(window: &mut Window, seed: u32, offset: u64) -> std::io::Result<Option<Header>> {
    let bytes = window.get(offset, HEADER as u64)?.and_then(|bytes| bytes.first_chunk());
    Ok(bytes.and_then(|bytes| Header::parse(bytes, seed, offset)))
}

/// Tells a torn tail from damage.
fn check_tail(window: &mut Window, header: &SegmentHeader, scan: &Scan, is_last: bool, name: &str) -> Result<()> {
    let bad = scan.offset;
    #[cfg(feature = "mutants")]
    if crate::mutants::Mutant::DamageTakenForTornTail.is_in() {
        return Ok(());
    }
    if !is_last {
        return Err(LogError::corrupt(name, bad, "no whole record stands here, and a later segment exists"));
    }
    let end = window.end_of_content(bad).map_err(LogError::io("read", name))?;
    let seed = header.seed();
    for offset in (bad + 8..end).step_by(8) {
        let later = read_record_header(window, seed, offset).map_err(LogError::io("read", name))?;
        if later.is_some_and(|later| later.batch > bad) {
            return Err(LogError::corrupt(name, bad, format!("no whole record stands here, and a later one stands at byte {offset}")));
        }
    }
    Ok(())
}

/// Writes the last batch again, because it may be in memory alone, and zeros over what is torn after it, so that no piece of it is ever
/// taken for a record that follows a later batch. Returns how many bytes were torn.
fn heal(window: &mut Window, file: &dyn DiskFile, scan: &Scan) -> std::io::Result<u64> {
    let end = window.end_of_content(scan.offset)?;
    let mut bytes = window.get(scan.batch, scan.offset - scan.batch)?.expect("the batch was read").to_vec();
    bytes.resize((end - scan.batch) as usize, 0);
    file.write_at(scan.batch, &bytes)?;
    file.sync_data()?;
    Ok(end - scan.offset)
}
