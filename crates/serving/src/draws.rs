use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers that differ from request to request: seeds and names, and no secrets. From one start come always the same (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Draws(Arc<AtomicU64>);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Draws {
    pub(crate) fn new(start: u64) -> Self {
        Self(Arc::new(AtomicU64::new(start)))
    }

    pub(crate) fn draw(&self) -> u64 {
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The name of an answer.
    #[cfg(feature = "server")]
    pub(crate) fn name(&self, prefix: &str) -> String {
        format!("{prefix}-{:016x}{:016x}", self.draw(), self.draw())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_the_published_generator() {
        let draws = Draws::new(1_234_567);
        assert_eq!([draws.draw(), draws.draw()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }
}
