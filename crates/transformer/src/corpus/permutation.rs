//! Shuffling an index range without holding it: a Feistel network with cycle walking.
//!
//! A Feistel network turns any functions into a permutation of the numbers of an even count of bits: of the halves `(left, right)` each
//! round makes `(right, left xor f(right))`, which can be undone whatever `f` is (Luby and Rackoff 1988). The bits here are just enough for
//! the range, and a number that falls outside of it is sent through again until it falls inside, which leaves a permutation of the range
//! (cycle walking: Black and Rogaway 2002). The numbers are at most four times the range, so four passes are taken on average at most.
//! Memory does not depend on the range.

use rand::Rng;

/// More than the four after which no test tells the network from a random permutation, since small ranges have few bits to mix.
const ROUNDS: usize = 8;

/// A permutation of the numbers below `domain`.
#[derive(Clone, Debug)]
pub(super) struct Permutation {
    domain: u64,
    half_bits: u32,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// A permutation drawn by `rng`: the same for the same numbers.
    pub(super) fn new(domain: u64, rng: &mut impl Rng) -> Self {
        let bits = u64::BITS - domain.saturating_sub(1).leading_zeros();
        Self { domain, half_bits: bits.div_ceil(2).max(1), keys: std::array::from_fn(|_| rng.next_u64()) }
    }

    /// Where `index` goes.
    ///
    /// # Panics
    /// Where `index` is not below the domain.
    pub(super) fn apply(&self, index: u64) -> u64 {
        assert!(index < self.domain, "{index} is not below {}", self.domain);
        let mut place = self.encrypt(index);
        while place >= self.domain {
            place = self.encrypt(place);
        }
        place
    }

    fn encrypt(&self, value: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        left << self.half_bits | right
    }
}

/// The finaliser of `SplitMix64`: each bit of the result depends on all bits.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn permutation(domain: u64, index: u64) -> Permutation {
        Permutation::new(domain, &mut crate::rng::stream(11, index))
    }

    #[test]
    fn small_ranges_are_permuted_each_way_about_equally() {
        for domain in 1..=12 {
            let mut counts = vec![vec![0_u32; domain as usize]; domain as usize];
            let draws = 12_000;
            for draw in 0..draws {
                let permutation = permutation(domain, draw);
                (0..domain).for_each(|from| counts[from as usize][permutation.apply(from) as usize] += 1);
            }
            let expected = draws as f64 / domain as f64;
            // Six standard deviations of a binomial, over 650 cells.
            let bound = 6.0 * (expected * (1.0 - 1.0 / domain as f64)).sqrt();
            assert!(counts.iter().flatten().all(|&count| (f64::from(count) - expected).abs() <= bound), "{domain}: {counts:?}");
        }
    }

    #[test]
    fn neighbours_are_torn_apart() {
        let permutation = permutation(1_000_000, 0);
        let places: Vec<u64> = (0..10_000).map(|index| permutation.apply(index)).collect();
        let near = places.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) < 1000).count();
        // A random permutation has 2 in 1,000 such pairs: 20, with a standard deviation of 4.5.
        assert!(near < 50, "{near}");
        let fixed = places.iter().enumerate().filter(|(index, place)| *index as u64 == **place).count();
        assert!(fixed < 5, "{fixed}");
    }

    #[test]
    fn ranges_of_any_size_are_served() {
        for domain in [1, 2, 3, 1 << 32, (1 << 32) + 1, u64::MAX] {
            let permutation = permutation(domain, 5);
            let places: std::collections::HashSet<u64> = (0..domain.min(1000)).map(|index| permutation.apply(domain - 1 - index)).collect();
            assert!(places.len() as u64 == domain.min(1000) && places.iter().all(|place| *place < domain));
        }
    }

    proptest! {
        #[test]
        fn every_number_comes_once(domain in 1..5000_u64, index: u64) {
            let permutation = permutation(domain, index);
            let mut places: Vec<u64> = (0..domain).map(|from| permutation.apply(from)).collect();
            places.sort_unstable();
            prop_assert!(places.into_iter().eq(0..domain));
        }
    }
}
