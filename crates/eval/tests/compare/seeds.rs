//! Two runs of one configuration, with nothing but luck between them.

use jarre_eval::{
    compare::{Comparison, Options},
    stats::Verdict,
};
use proptest::{
    prelude::Rng,
    test_runner::{RngAlgorithm, TestRng},
};

use crate::samples::{METRIC, side};

/// Right with the item's own chance: easy items and hard ones, as in real sets.
fn run(seed: u64, n: u64) -> Vec<f64> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    (0..n).map(|item| f64::from(u8::from(rng.next_u64() % 100 < 5 + 90 * (item % 10) / 9))).collect()
}

#[test]
fn are_not_distinguishable_for_at_least_95_of_100_seeds() {
    let mut told_apart = 0;
    for seed in 0..100 {
        let (first, second) = (side("first", run(2 * seed, 400)), side("second", run(2 * seed + 1, 400)));
        let comparison = Comparison::new(&first.samples, &second.samples, &Options::new(METRIC)).unwrap();
        told_apart += usize::from(!matches!(comparison.verdict, Verdict::NotDistinguishable(_)));
    }
    assert!(told_apart <= 5, "{told_apart} of 100 pairs of equal runs were told apart");
}
