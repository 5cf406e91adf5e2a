//! Random numbers that nobody can foresee, for nonces and lives.

/// A number used once.
pub(super) fn nonce() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}

/// A number that no other member draws.
pub(super) fn life() -> u64 {
    // Zero is no life.
    getrandom::u64().expect("the system has random numbers").max(1)
}
