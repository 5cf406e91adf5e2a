//! Numbers and threads that tests share.

use std::sync::OnceLock;

use crate::packed::Pool;

/// Numbers between -1 and 1 that look random (Marsaglia, "Xorshift RNGs", 2003).
pub(crate) fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Pools of 1, 2 and 5 threads.
pub(crate) fn pools() -> &'static [Pool; 3] {
    static POOLS: OnceLock<[Pool; 3]> = OnceLock::new();
    POOLS.get_or_init(|| [1, 2, 5].map(Pool::new))
}
