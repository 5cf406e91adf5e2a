//! A slice that several threads write to, each its own part.

#![expect(unsafe_code, reason = "threads write to parts of one slice")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
use std::marker::PhantomData;
use std::ops::Range;

/// Bytes that processors fetch together.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// A slice, borrowed exclusively, whose parts are handed to several threads.
#[derive(Debug)]
pub(crate) struct Disjoint<'a, T> {
    start: *mut T,
    len: usize,
    borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: it only gives out `&mut` to parts that `part`'s callers keep disjoint, as `split_at_mut` would, so sending the values suffices.
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    pub(crate) fn new(values: &'a mut [T]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len(), borrow: PhantomData }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Brings a part to the first-level cache, where it is about to be written in pieces that lie far apart. A hint, which does nothing on some
    /// processors.
    #[inline(always)]
    pub(crate) fn fetch(&self, range: Range<usize>) {
        #[cfg(target_arch = "x86_64")]
        {
            let (first, end) = (range.start * size_of::<T>(), range.end * size_of::<T>());
            for byte in (first..end).step_by(LINE).chain(end.checked_sub(1)) {
                // SAFETY: it reads nothing and cannot fault, wherever the address points.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(self.start.cast::<i8>().wrapping_add(byte)) };
            }
        }
    }

    /// A part of the slice.
    ///
    /// # Panics
    /// Where the range ends beyond the slice.
    ///
    /// # Safety
    /// While the part is in use, no other part given out may overlap it.
    #[expect(clippy::mut_from_ref, reason = "callers keep the parts disjoint")]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {} values", self.len);
        // SAFETY: the range was checked to lie within the slice, which is borrowed exclusively for 'a; the caller keeps parts disjoint.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}
