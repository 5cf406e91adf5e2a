//! Where results go, from many threads.

#![expect(unsafe_code, reason = "threads write to parts of one slice")]

use crate::packed::disjoint::Disjoint;

/// Results `[tokens, heads, width]`, and logarithms of sums `[tokens, heads]` where they are wanted.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    values: Disjoint<'a, f32>,
    log_sums: Option<Disjoint<'a, f32>>,
    heads: usize,
    width: usize,
}

impl<'a> Output<'a> {
    pub(crate) fn new(values: &'a mut [f32], log_sums: Option<&'a mut [f32]>, heads: usize, width: usize) -> Self {
        Self { values: Disjoint::new(values), log_sums: log_sums.map(Disjoint::new), heads, width }
    }

    /// Whether the slices are those of `tokens` tokens.
    pub(crate) fn holds(&self, tokens: usize) -> bool {
        let rows = tokens * self.heads;
        self.values.len() == rows * self.width && self.log_sums.as_ref().is_none_or(|sums| sums.len() == rows)
    }

    /// Writes one row.
    ///
    /// # Safety
    /// Of each token and head, one thread at a time may write.
    pub(crate) unsafe fn write(&self, token: usize, head: usize, values: impl Iterator<Item = f32>, log_sum: f32) {
        let row = token * self.heads + head;
        // SAFETY: rows do not overlap, and the caller writes a row from one thread.
        let place = unsafe { self.values.part(row * self.width..(row + 1) * self.width) };
        place.iter_mut().zip(values).for_each(|(place, x)| *place = x);
        if let Some(log_sums) = &self.log_sums {
            // SAFETY: as above.
            let place = unsafe { log_sums.part(row..row + 1) };
            place[0] = log_sum;
        }
    }
}
