use std::fmt::Display;
use std::path::Path;

use super::error::{Error, Result};
use super::source::Source;

/// The longest header that is read, 256 MiB. The largest vocabularies take about 16 MiB.
pub const MAX_HEADER_BYTES: u64 = 256 << 20;

const WINDOW: u64 = 64 << 10;

/// Reads the fields of a header in order. Every method takes what is being read, for the error.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    source: &'a Source,
    path: &'a Path,
    /// Where the file ends, or the longest header would.
    end: u64,
    window: Vec<u8>,
    used: usize,
    /// Where the window begins in the file.
    window_at: u64,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(source: &'a Source, length: u64, path: &'a Path) -> Self {
        Self { source, path, end: length.min(MAX_HEADER_BYTES), window: Vec::new(), used: 0, window_at: 0 }
    }

    pub(super) fn position(&self) -> u64 {
        self.window_at + self.used as u64
    }

    pub(super) fn take<const N: usize>(&mut self, field: &dyn Display) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, field)?;
        Ok(bytes)
    }

    pub(super) fn u32(&mut self, field: &dyn Display) -> Result<u32> {
        self.take(field).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, field: &dyn Display) -> Result<u64> {
        self.take(field).map(u64::from_le_bytes)
    }

    /// A number of things that take at least `size` bytes each; so many are left.
    pub(super) fn count(&mut self, size: u64, field: &dyn Display) -> Result<usize> {
        let at = self.position();
        let count = self.u64(field)?;
        let left = self.end - self.position();
        if count > left / size {
            return Err(self.malformed_at(
                at,
                field,
                format!("{count} of at least {size} bytes each are announced and {left} bytes are left"),
            ));
        }
        Ok(count as usize)
    }

    /// A string with its length before it, of at most `longest` bytes.
    pub(super) fn string(&mut self, longest: usize, field: &dyn Display) -> Result<String> {
        let at = self.position();
        let length = self.count(1, &format_args!("length of {field}"))?;
        if length > longest {
            return Err(self.malformed_at(at, field, format!("it has {length} bytes, and at most {longest} are allowed")));
        }
        let mut bytes = vec![0; length];
        self.fill(&mut bytes, field)?;
        String::from_utf8(bytes).map_err(|error| self.malformed_at(at, field, format!("it is not UTF-8: {}", error.utf8_error())))
    }

    /// `count` numbers, of which [`count`](Self::count) said that they are there.
    pub(super) fn numbers<const N: usize, T>(&mut self, count: usize, field: &dyn Display, convert: fn([u8; N]) -> T) -> Result<Vec<T>> {
        self.need((count as u64).saturating_mul(N as u64), field)?;
        let mut numbers = Vec::with_capacity(count);
        for _ in 0..count {
            numbers.push(convert(self.take(field)?));
        }
        Ok(numbers)
    }

    pub(super) fn malformed_at(&self, offset: u64, field: &dyn Display, reason: impl Into<String>) -> Error {
        Error::Malformed { path: self.path.to_owned(), field: field.to_string(), offset, reason: reason.into() }
    }

    pub(super) fn unsupported(&self, field: &dyn Display, found: impl Into<String>, supported: &'static str) -> Error {
        Error::Unsupported { path: self.path.to_owned(), field: field.to_string(), found: found.into(), supported }
    }

    fn need(&self, bytes: u64, field: &dyn Display) -> Result<()> {
        let left = self.end - self.position();
        if bytes > left {
            return Err(self.malformed_at(self.position(), field, format!("it takes {bytes} bytes and {left} are left")));
        }
        Ok(())
    }

    /// Copies the next bytes.
    fn fill(&mut self, mut bytes: &mut [u8], field: &dyn Display) -> Result<()> {
        self.need(bytes.len() as u64, field)?;
        while !bytes.is_empty() {
            if self.used == self.window.len() {
                self.advance()?;
            }
            let part = bytes.len().min(self.window.len() - self.used);
            let (now, later) = bytes.split_at_mut(part);
            now.copy_from_slice(&self.window[self.used..self.used + part]);
            self.used += part;
            bytes = later;
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        self.window_at = self.position();
        self.used = 0;
        self.window.resize(WINDOW.min(self.end - self.window_at) as usize, 0);
        self.source.read_exact_at(self.window_at, &mut self.window).map_err(Error::io(self.path))
    }
}
