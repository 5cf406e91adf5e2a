use super::Communicator;
use crate::{Error, Result};

/// What sharded layers ask of whatever connects the workers: a ring of processes ([`Communicator`]), or the devices' own collectives.
///
/// All workers make the same calls in the same order. An implementation needs no more than sums; the other operations are made of them
/// here, at twice the traffic or more, and may be replaced by better ones with the same results.
pub trait Collective: Send {
    /// Which worker this is, from zero.
    fn rank(&self) -> usize;

    /// How many workers there are.
    fn world_size(&self) -> usize;

    /// Replaces `values` by their sums over all workers, to the same bits on all of them.
    ///
    /// # Errors
    /// [`Collective`](Error::Collective) where a worker is lost or calls something else; nothing more can be computed together then.
    fn all_reduce_sum(&mut self, values: &mut [f32]) -> Result<()>;

    /// Replaces integers by their exact sums over all workers. The sums fit 32 bits.
    ///
    /// # Errors
    /// As [`all_reduce_sum`](Self::all_reduce_sum).
    fn all_reduce_sum_integers(&mut self, values: &mut [i32]) -> Result<()> {
        // Two halves whose sums over 256 workers are integers below 2^24, which f32 holds exactly: the high ones add up to at most 2^31 / 2^12.
        const LOW: i32 = 1 << 12;
        let count = values.len();
        let mut halves: Vec<f32> = values.iter().map(|value| value.rem_euclid(LOW) as f32).collect();
        halves.extend(values.iter().map(|value| value.div_euclid(LOW) as f32));
        self.all_reduce_sum(&mut halves)?;
        let (low, high) = halves.split_at(count);
        for ((value, low), high) in values.iter_mut().zip(low).zip(high) {
            *value = (*high as i32).wrapping_mul(LOW).wrapping_add(*low as i32);
        }
        Ok(())
    }

    /// Replaces values that are not negative by the largest over all workers; NaN counts as larger than infinity.
    ///
    /// # Errors
    /// As [`all_reduce_sum`](Self::all_reduce_sum).
    fn all_reduce_max(&mut self, values: &mut [f32]) -> Result<()> {
        let lens = vec![values.len(); self.world_size()];
        for part in self.all_gather(values, &lens)? {
            values.iter_mut().zip(part).for_each(|(largest, value)| keep_larger(largest, value));
        }
        Ok(())
    }

    /// The values of all workers, by rank; `lens` says how many each has.
    ///
    /// # Errors
    /// As [`all_reduce_sum`](Self::all_reduce_sum), and where this worker has another number of values than `lens` says.
    fn all_gather(&mut self, mine: &[f32], lens: &[usize]) -> Result<Vec<Vec<f32>>> {
        let rank = self.rank();
        if lens.get(rank) != Some(&mine.len()) || lens.len() != self.world_size() {
            return Err(unexpected(rank, rank, mine.len(), lens));
        }
        let mut all = vec![0.0; lens.iter().sum()];
        let start = lens[..rank].iter().sum::<usize>();
        all[start..start + mine.len()].copy_from_slice(mine);
        self.all_reduce_sum(&mut all)?;
        let mut rest = all.as_slice();
        Ok(lens.iter().map(|&len| rest.split_off(..len).expect("the lengths add up to all").to_vec()).collect())
    }
}

impl Collective for Communicator {
    fn rank(&self) -> usize {
        self.rank()
    }

    fn world_size(&self) -> usize {
        self.world_size()
    }

    fn all_reduce_sum(&mut self, values: &mut [f32]) -> Result<()> {
        self.all_reduce_sum(values)
    }

    fn all_reduce_sum_integers(&mut self, values: &mut [i32]) -> Result<()> {
        self.all_reduce_sum_integers(values)
    }

    fn all_reduce_max(&mut self, values: &mut [f32]) -> Result<()> {
        self.all_reduce_max(values)
    }

    fn all_gather(&mut self, mine: &[f32], lens: &[usize]) -> Result<Vec<Vec<f32>>> {
        let parts = self.all_gather_parts(mine)?;
        match (0..parts.len().max(lens.len())).find(|&rank| parts.get(rank).map(Vec::len) != lens.get(rank).copied()) {
            Some(other) => Err(unexpected(self.rank(), other, parts.get(other).map_or(0, Vec::len), lens)),
            None => Ok(parts),
        }
    }
}

/// Adds, to the same bits whichever of both is added to the other: which of two numbers that are none remains is the compiler's choice.
pub(super) fn add(sum: &mut f32, value: f32) {
    *sum += value;
    if sum.is_nan() {
        *sum = f32::NAN;
    }
}

/// By their bits: the order of values that are not negative, with NaN last.
pub(super) fn keep_larger(largest: &mut f32, value: f32) {
    *largest = f32::from_bits(largest.to_bits().max(value.to_bits()));
}

fn unexpected(rank: usize, other: usize, found: usize, lens: &[usize]) -> Error {
    Error::Collective { rank, reason: format!("rank {other} has {found} values to gather where {lens:?} were expected") }
}
