//! Words that start at a cache line, which tiles are loaded from.

use std::ops::Deref;

use crate::amx::LINE;

/// Words of a cache line.
const WORDS: usize = LINE / size_of::<u32>();

/// Zeros at first, at an address that is a multiple of 64.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// Up to 15 words more than there are.
    values: Vec<u32>,
    start: usize,
    len: usize,
}

impl Words {
    pub(crate) fn zeros(len: usize) -> Self {
        let mut words = Self::default();
        words.resize(len);
        words
    }

    /// Makes room for `len` words; what stands there is anything.
    pub(crate) fn resize(&mut self, len: usize) {
        self.values.resize(len + WORDS - 1, 0);
        self.len = len;
        // Where no offset is known, words stand where they stand, which costs speed alone.
        self.start = self.values.as_ptr().align_offset(LINE).min(WORDS - 1);
    }

    pub(crate) fn as_mut(&mut self) -> &mut [u32] {
        &mut self.values[self.start..self.start + self.len]
    }
}

impl Deref for Words {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.values[self.start..self.start + self.len]
    }
}

impl Clone for Words {
    fn clone(&self) -> Self {
        let mut words = Self::zeros(self.len);
        words.as_mut().copy_from_slice(self);
        words
    }
}
