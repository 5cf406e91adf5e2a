//! Values that begin at a cache line.

/// Bytes of a cache line.
const LINE: usize = 64;

/// A slice on the heap, zero at first, whose first value begins a cache line, so that whole vectors of it never lie across two.
#[derive(Debug)]
pub(super) struct Aligned<T> {
    values: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Copy + Default> Aligned<T> {
    pub(super) fn new(len: usize) -> Self {
        let spare = LINE / size_of::<T>();
        let values = vec![T::default(); len + spare];
        // Where the address is not to be had the values stand anywhere, which costs time and nothing else.
        let start = values.as_ptr().align_offset(LINE).min(spare);
        Self { values, start, len }
    }

    pub(super) fn get(&self) -> &[T] {
        &self.values[self.start..self.start + self.len]
    }

    pub(super) fn get_mut(&mut self) -> &mut [T] {
        &mut self.values[self.start..self.start + self.len]
    }
}
