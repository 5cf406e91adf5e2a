//! `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): a 64-bit counter put through a mixing
//! function. Small, passes `BigCrush`, and any number of streams can be made from a seed.

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

pub(crate) struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// Stream `index` of a seed. The states of streams are mixed apart, so that neighbouring streams do not run through each other's
    /// numbers.
    pub(crate) fn stream(seed: u64, index: u64) -> Self {
        Self { state: mix(mix(seed.wrapping_add(GOLDEN_GAMMA)).wrapping_add(index.wrapping_mul(GOLDEN_GAMMA))) }
    }

    /// A number below `bound`, each as likely as the others but for `bound` parts in 2^64 (Lemire 2019, without rejection).
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        mix(self.state)
    }
}

fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_reference_implementation() {
        let mut rng = SplitMix64 { state: 1_234_567 };
        let drawn: Vec<u64> = (0..3).map(|_| rng.next()).collect();
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn draws_are_even_and_streams_differ() {
        let mut counts = [0_u32; 7];
        for stream in 0..700 {
            let mut rng = SplitMix64::stream(3, stream);
            (0..100).for_each(|_| counts[rng.below(7)] += 1);
        }
        // Five standard deviations of a binomial of 70,000 draws at one seventh.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 465), "{counts:?}");
        let first = |stream| SplitMix64::stream(3, stream).next();
        assert_ne!(first(0), first(1));
    }
}
