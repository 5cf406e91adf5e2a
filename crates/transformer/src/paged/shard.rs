use std::ops::Range;

use crate::error::{Error, Result};

const WORKERS: &str = "the number of tensor-parallel workers";

/// Which worker of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) rank: usize,
    pub(super) world: usize,
}

impl Shard {
    /// The one that has everything.
    pub(super) const WHOLE: Self = Self { rank: 0, world: 1 };

    pub(super) fn new(rank: usize, world: usize) -> Result<Self> {
        if rank >= world {
            return Err(Error::setting("the rank of a tensor-parallel worker", rank, format!("below the number of workers, {world}")));
        }
        Ok(Self { rank, world })
    }

    /// The key heads of this worker: as many for each.
    pub(super) fn heads(self, kv_heads: usize) -> Result<Range<usize>> {
        if !kv_heads.is_multiple_of(self.world) {
            return Err(Error::setting(WORKERS, self.world, format!("a divisor of the model's number of key heads, {kv_heads}")));
        }
        let each = kv_heads / self.world;
        Ok(self.rank * each..(self.rank + 1) * each)
    }

    /// This worker's part of `len` values that are cut between units only.
    pub(super) fn part(self, what: &str, len: usize, unit: usize) -> Result<Range<usize>> {
        let units = len / unit.max(1);
        if units < self.world {
            return Err(Error::setting(WORKERS, self.world, format!("at most {units}: so many parts can be made of {what}")));
        }
        Ok(self.segment(self.rank, units).start * unit..self.segment(self.rank, units).end * unit)
    }

    /// How many of `len` values each worker has, by rank.
    pub(super) fn lens(self, len: usize) -> Vec<usize> {
        (0..self.world).map(|rank| self.segment(rank, len).len()).collect()
    }

    /// Refuses a range that cuts a group of weights that share a scale.
    pub(super) fn check_group(self, what: &str, range: &Range<usize>, group: usize) -> Result<()> {
        if range.start.is_multiple_of(group) && range.end.is_multiple_of(group) {
            return Ok(());
        }
        let expected = format!("smaller, or the model's groups of four-bit weights: {group} of them do not divide the {what} of a worker");
        Err(Error::setting(WORKERS, self.world, expected))
    }

    /// The first ones are one longer where they are not even.
    fn segment(self, rank: usize, len: usize) -> Range<usize> {
        let (short, longer) = (len / self.world, len % self.world);
        let start = |rank: usize| rank * short + rank.min(longer);
        start(rank)..start(rank + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_everything_once_in_whole_units() {
        for (len, unit, world) in [(40, 8, 2), (40, 8, 4), (688, 16, 3), (7, 1, 7), (96, 1, 5)] {
            let parts: Vec<_> = (0..world).map(|rank| Shard::new(rank, world).unwrap().part("it", len, unit).unwrap()).collect();
            assert_eq!((parts[0].start, parts[world - 1].end), (0, len));
            assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].end % unit == 0), "{parts:?}");
            let lens = Shard::new(0, world).unwrap().lens(len / unit);
            assert!(lens.iter().zip(&parts).all(|(units, part)| units * unit == part.len()));
        }
    }

    #[test]
    fn what_cannot_be_cut_says_what_could() {
        let shard = Shard::new(1, 3).unwrap();
        let text = |error: Error| error.to_string();
        assert!(text(shard.heads(4).unwrap_err()).contains("is 3; it has to be a divisor of the model's number of key heads, 4"));
        assert!(text(shard.part("it", 32, 16).unwrap_err()).contains("at most 2"));
        assert!(text(shard.check_group("heads", &(8..16), 16).unwrap_err()).contains("16"));
        assert!(text(Shard::new(3, 3).unwrap_err()).contains("below the number of workers, 3"));
    }
}
