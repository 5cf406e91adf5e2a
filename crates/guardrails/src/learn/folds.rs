/// The fold, of `folds`, that `text` falls in: the same on every machine and whatever else is there, so that a text is never both learnt from
/// and measured on. Another `seed` cuts otherwise.
///
/// # Panics
/// Where `folds` is 0.
pub fn fold(text: &str, seed: u64, folds: usize) -> usize {
    assert!(folds > 0, "there is at least one fold");
    // FNV-1a, then the finish of SplitMix64, as the low bits of FNV-1a are weak.
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    (super::random::scramble(hash ^ super::random::scramble(seed)) % folds as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_even_and_seeds_differ() {
        let texts: Vec<String> = (0..2_000).map(|at| format!("text {at}")).collect();
        let count = |of: usize| texts.iter().filter(|text| fold(text, 1, 5) == of).count();
        assert!((0..5).all(|of| (340..=460).contains(&count(of))), "{:?}", (0..5).map(count).collect::<Vec<_>>());
        let same = texts.iter().filter(|text| fold(text, 1, 5) == fold(text, 2, 5)).count();
        assert!((300..500).contains(&same), "{same}");
    }
}
