//! Random numbers: any number of streams of a seed, the same on every machine.

use rand::SeedableRng;
use rand_pcg::Pcg64;

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Stream `index` of `seed`; two streams are the same only where both numbers are.
///
/// Both numbers reach the whole state of the generator: PCG streams that differ in their increment alone are correlated.
pub(crate) fn stream(seed: u64, index: u64) -> Pcg64 {
    let seed = mix(seed.wrapping_add(GOLDEN_GAMMA));
    let index = mix(index.wrapping_sub(GOLDEN_GAMMA));
    let words = [seed, mix(seed.wrapping_add(index)), mix(seed ^ index.rotate_left(32)), index];
    let mut state = [0; 32];
    for (bytes, word) in state.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    Pcg64::from_seed(state)
}

/// The mixing function of `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014), a bijection.
fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::{Rng, RngExt};

    use super::*;

    #[test]
    fn streams_are_reproducible_and_differ_in_seed_and_index() {
        let first = |seed, index| stream(seed, index).next_u64();
        assert_eq!(first(7, 3), first(7, 3));
        let drawn: HashSet<u64> = (0..100).flat_map(|seed| (0..100).map(move |index| first(seed, index))).collect();
        assert_eq!(drawn.len(), 10_000);
    }

    #[test]
    fn a_known_stream_stays_as_it_is() {
        let mut rng = stream(42, 1);
        let drawn = [rng.next_u64(), rng.next_u64()];
        assert_eq!(drawn, [13_206_161_054_299_260_878, 7_783_563_516_460_507_028]);
    }

    /// Under independence the correlation of n pairs is normal with standard deviation 1 / sqrt(n).
    #[test]
    fn neighbouring_streams_are_not_correlated() {
        let n = 20_000;
        for (left, right) in [((5, 0), (5, 1)), ((5, 0), (6, 0)), ((0, 1), (1, 0))] {
            let (mut left, mut right) = (stream(left.0, left.1), stream(right.0, right.1));
            let mut centred = || (left.random::<f64>() - 0.5, right.random::<f64>() - 0.5);
            let sum: f64 = (0..n).map(|_| centred()).map(|(x, y)| 12.0 * x * y).sum();
            assert!((sum / f64::from(n)).abs() < 5.0 / f64::from(n).sqrt());
        }
    }
}
