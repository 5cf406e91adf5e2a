/// The finish of `SplitMix64` (Steele, Lea and Flood 2014): each bit of the result depends on each bit of `state`.
pub(super) fn scramble(state: u64) -> u64 {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Brings `items` into an order that `seed` decides (Fisher and Yates).
pub(super) fn shuffle<T>(items: &mut [T], seed: u64) {
    for left in (1..items.len()).rev() {
        let chosen = scramble(seed ^ scramble(left as u64)) % (left as u64 + 1);
        items.swap(left, chosen as usize);
    }
}
