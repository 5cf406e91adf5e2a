use std::{io, sync::Arc};

use super::DiskFile;

/// Enough that a system call is cheap beside what it brings.
pub(super) const STRETCH: u64 = 1 << 20;

/// A file read from front to back, a stretch at a time.
#[derive(Debug)]
pub(super) struct Window {
    file: Arc<dyn DiskFile>,
    len: u64,
    step: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// Reads at least `step` bytes at a time.
    pub(super) fn new(file: Arc<dyn DiskFile>, step: u64) -> io::Result<Self> {
        Ok(Self { len: file.size()?, step, file, start: 0, bytes: Vec::new() })
    }

    /// The file's length.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The bytes from `offset`; `None` where the file ends before `count` of them.
    pub(super) fn get(&mut self, offset: u64, count: u64) -> io::Result<Option<&[u8]>> {
        let Some(end) = offset.checked_add(count).filter(|&end| end <= self.len) else { return Ok(None) };
        if offset < self.start || end > self.start + self.bytes.len() as u64 {
            self.bytes.resize(count.max(self.step).min(self.len - offset) as usize, 0);
            self.start = offset;
            self.file.read_at(offset, &mut self.bytes)?;
        }
        Ok(Some(&self.bytes[(offset - self.start) as usize..][..count as usize]))
    }

    /// Where the last byte from `offset` on lies that is not zero, plus one; `offset` where there is none.
    pub(super) fn end_of_content(&mut self, offset: u64) -> io::Result<u64> {
        let (mut at, mut end) = (offset, offset);
        while at < self.len {
            let count = self.step.min(self.len - at);
            let stretch = self.get(at, count)?.expect("the stretch lies inside the file");
            if let Some(last) = stretch.iter().rposition(|&byte| byte != 0) {
                end = at + last as u64 + 1;
            }
            at += count;
        }
        Ok(end)
    }
}
