use std::ops::Range;

const MAX_WORLD: usize = 256;

/// Where a worker stands in the ring: what it sends goes to the next rank, what it receives comes from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) rank: usize,
    pub(super) world: usize,
}

impl Place {
    pub(super) fn new(rank: usize, world: usize) -> Result<Self, String> {
        if !(1..=MAX_WORLD).contains(&world) {
            return Err(format!("a world of {world} workers cannot be; it has 1 to {MAX_WORLD}"));
        }
        if rank >= world {
            return Err(format!("in a world of {world} the last rank is {}", world - 1));
        }
        Ok(Self { rank, world })
    }

    pub(super) fn left(self) -> usize {
        self.back(1)
    }

    pub(super) fn right(self) -> usize {
        (self.rank + 1) % self.world
    }

    /// The rank `steps` to the left, at most once around.
    pub(super) fn back(self, steps: usize) -> usize {
        (self.rank + self.world - steps) % self.world
    }

    /// How many steps to the right of `root` this is.
    pub(super) fn distance_from(self, root: usize) -> usize {
        (self.rank + self.world - root) % self.world
    }

    /// Segment `index` of `len` values that are cut into one segment a worker; the first `len % world` are one value longer.
    pub(super) fn segment(self, len: usize, index: usize) -> Range<usize> {
        let (short, longer) = (len / self.world, len % self.world);
        let start = |index: usize| index * short + index.min(longer);
        start(index)..start(index + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_cover_everything_once_and_differ_by_one_value_at_most() {
        for (world, len) in [(1, 5), (2, 0), (3, 10), (4, 3), (7, 3_000_000), (256, usize::MAX)] {
            let place = Place::new(0, world).unwrap();
            let segments: Vec<Range<usize>> = (0..world).map(|index| place.segment(len, index)).collect();
            assert_eq!((segments[0].start, segments[world - 1].end), (0, len));
            assert!(segments.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].len() - pair[1].len() <= 1), "{segments:?}");
        }
    }

    #[test]
    fn neighbours_close_a_ring() {
        let first = Place::new(0, 3).unwrap();
        let last = Place::new(2, 3).unwrap();
        assert_eq!((first.left(), first.right(), last.right(), last.left()), (2, 1, 0, 1));
        assert_eq!((first.distance_from(2), last.distance_from(2), first.back(3)), (1, 0, 0));
    }

    #[test]
    fn there_is_no_place_outside_the_world() {
        for (rank, world) in [(0, 0), (1, 1), (7, 3), (0, 257), (usize::MAX, usize::MAX)] {
            assert!(Place::new(rank, world).is_err(), "{rank} of {world}");
        }
    }
}
