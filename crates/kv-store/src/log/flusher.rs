//! The one who writes: a batch at a time, each synced before the next, a new segment where the old one is full.

use std::{collections::VecDeque, sync::Arc};

use super::{
    Disk, DiskFile, LogConfig, LogError, Result,
    contents::{Marks, Place},
    record::{Kind, Op},
    segment::{self, SEGMENT_HEADER, SegmentHeader},
};

/// Room that a segment keeps for its seal.
pub(super) const SEAL: u64 = super::record::HEADER as u64;

/// A segment as it is written to, or was.
#[derive(Debug)]
pub(super) struct Segment {
    pub header: SegmentHeader,
    pub file: Arc<dyn DiskFile>,
    /// Where the next record goes.
    pub end: u64,
    /// Bytes reserved.
    pub len: u64,
    /// The highest index of an entry in it, truncated or not.
    pub highest: Option<u64>,
}

/// What a batch changed besides the records themselves.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Where each record lies.
    pub places: Vec<Place>,
    /// A segment that was begun.
    pub opened: Option<(u64, Arc<dyn DiskFile>)>,
    /// Segments that are gone.
    pub removed: Vec<u64>,
}

#[derive(Debug)]
pub(super) struct Flusher {
    pub disk: Arc<dyn Disk>,
    pub config: LogConfig,
    /// Oldest first.
    pub sealed: VecDeque<Segment>,
    /// `None` before the first segment, and after a crash between a seal and the segment that follows it.
    pub active: Option<Segment>,
    pub marks: Marks,
    /// The index that the next entry has, once everything so far is replayed.
    pub next_index: u64,
}

impl Flusher {
    /// Writes all of `ops` and returns once they are durable.
    ///
    /// # Errors
    /// Where the disk failed; nothing may be written after that.
    pub(super) fn write(&mut self, ops: &[Op]) -> Result<Written> {
        let size: u64 = ops.iter().map(Op::size).sum();
        let mut written = Written { opened: self.make_room(size)?, ..Written::default() };
        let segment = self.active.as_mut().expect("room was made in a segment");
        let (batch, seed, sequence) = (segment.end, segment.header.seed(), segment.header.sequence);
        let mut bytes = Vec::with_capacity(size as usize);
        for op in ops {
            let offset = batch + bytes.len() as u64;
            written.places.push(Place { sequence, offset, seed });
            op.write(seed, offset, batch, &mut bytes);
        }
        append(segment, &bytes)?;
        segment.highest = ops.iter().filter(|op| op.kind == Kind::Entry).map(|op| op.index).max().max(segment.highest);
        for op in ops {
            self.marks.set(op);
            self.next_index = next_index(self.next_index, op);
        }
        if ops.iter().any(|op| op.kind == Kind::Purge) {
            written.removed = self.remove_purged()?;
        }
        Ok(written)
    }

    /// Begins a new segment where the active one has no room for `size` bytes and its seal.
    fn make_room(&mut self, size: u64) -> Result<Option<(u64, Arc<dyn DiskFile>)>> {
        let has_room = |segment: &Segment| segment.end + size + SEAL <= segment.len;
        if self.active.as_ref().is_some_and(has_room) {
            return Ok(None);
        }
        if let Some(mut full) = self.active.take() {
            seal(&mut full)?;
            self.sealed.push_back(full);
        }
        let sequence = self.sealed.back().map_or(1, |last| last.header.sequence + 1);
        let segment = self.create(sequence, size)?;
        let opened = (sequence, segment.file.clone());
        self.active = Some(segment);
        Ok(Some(opened))
    }

    /// Makes a segment that begins with the marks, under a draft's name until all of that is durable.
    fn create(&self, sequence: u64, size: u64) -> Result<Segment> {
        let marks = self.marks.ops();
        let marks_end = SEGMENT_HEADER as u64 + marks.iter().map(Op::size).sum::<u64>();
        let LogConfig { cluster, node, salt, .. } = self.config;
        let reserved = self.config.segment_bytes.max(marks_end + size + SEAL);
        let header = SegmentHeader { cluster, node, sequence, first_index: self.next_index, salt, marks_end, reserved };
        let mut bytes = header.encode().to_vec();
        for op in &marks {
            op.write(header.seed(), bytes.len() as u64, SEGMENT_HEADER as u64, &mut bytes);
        }
        let (draft, name) = (segment::draft_name(sequence), segment::name(sequence));
        let file = self.disk.create(&draft, reserved).map_err(LogError::io("create", &draft))?;
        file.write_at(0, &bytes).map_err(LogError::io("write", &draft))?;
        file.sync_data().map_err(LogError::io("sync", &draft))?;
        self.disk.rename(&draft, &name).map_err(LogError::io("rename", &draft))?;
        self.disk.sync_dir().map_err(LogError::io("sync the folder of", &name))?;
        Ok(Segment { header, file, end: marks_end, len: reserved, highest: None })
    }

    /// Removes segments that hold purged entries alone, oldest first. The purge itself is durable in the active one.
    fn remove_purged(&mut self) -> Result<Vec<u64>> {
        let purged = self.marks.purged.as_ref().map(|mark| mark.index);
        let mut removed = Vec::new();
        while let Some(segment) = self.sealed.pop_front_if(|oldest| oldest.highest <= purged) {
            let name = segment::name(segment.header.sequence);
            self.disk.remove(&name).map_err(LogError::io("remove", &name))?;
            removed.push(segment.header.sequence);
        }
        if let Some(last) = removed.last() {
            self.disk.sync_dir().map_err(LogError::io("sync the folder of", &segment::name(*last)))?;
        }
        Ok(removed)
    }
}

/// The index that an entry after `op` has, where it was `next` before.
pub(super) fn next_index(next: u64, op: &Op) -> u64 {
    match op.kind {
        Kind::Entry => op.index + 1,
        Kind::Truncate => next.min(op.index),
        Kind::Purge => next.max(op.index + 1),
        Kind::Vote | Kind::Committed | Kind::Seal => next,
    }
}

fn seal(segment: &mut Segment) -> Result<()> {
    let mut bytes = Vec::new();
    Op::new(Kind::Seal, 0, 0, Arc::default()).write(segment.header.seed(), segment.end, segment.end, &mut bytes);
    append(segment, &bytes)
}

fn append(segment: &mut Segment, bytes: &[u8]) -> Result<()> {
    let name = || segment::name(segment.header.sequence);
    segment.file.write_at(segment.end, bytes).map_err(|source| LogError::io("write", &name())(source))?;
    segment.file.sync_data().map_err(|source| LogError::io("sync", &name())(source))?;
    segment.end += bytes.len() as u64;
    Ok(())
}
