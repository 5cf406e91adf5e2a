use jarre_guardrails::learn::fold;

/// Decides which texts are kept for the report.
const SEED: u64 = 21;

/// In how many parts texts are cut, of which one is kept.
pub(crate) const PARTS: usize = 5;

/// Whether a text, or all texts of a template, are in this part of five, which is kept for the report.
pub(crate) fn is_kept(group: &str, part: usize) -> bool {
    fold(group, SEED, PARTS) == part
}

/// A generator of numbers (`SplitMix64`), seeded.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `limit`, which is above 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % limit as u64) as usize
    }
}
