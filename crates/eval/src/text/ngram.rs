use std::collections::HashMap;

/// Numbers words, equal words alike, so that sequences of them can be compared cheaply.
#[derive(Default)]
pub(super) struct Interner<'t>(HashMap<&'t str, u32>);

impl<'t> Interner<'t> {
    pub(super) fn ids(&mut self, words: impl IntoIterator<Item = &'t str>) -> Vec<u32> {
        words.into_iter().map(|word| self.id(word)).collect()
    }

    fn id(&mut self, word: &'t str) -> u32 {
        let next = u32::try_from(self.0.len()).expect("a text has fewer words than 2^32, or it would not fit into memory");
        *self.0.entry(word).or_insert(next)
    }
}

/// How often each n-gram stands in a sequence, sorted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ngrams(Vec<(u128, u64)>);

impl Ngrams {
    /// Counts the runs of `n` symbols. They are packed exactly: `n` is up to 4 for any symbols, up to 6 for characters (21 bits each).
    pub(super) fn count(symbols: &[u32], n: usize) -> Self {
        // One symbol needs no room for a second, but a shift by all bits is none.
        let bits = 128 / n.max(2);
        let mut keys: Vec<u128> =
            symbols.windows(n).map(|gram| gram.iter().fold(0, |key, symbol| key << bits | u128::from(*symbol))).collect();
        keys.sort_unstable();
        Self(keys.chunk_by(|left, right| left == right).map(|run| (run[0], run.len() as u64)).collect())
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// How many n-grams both have, each counted as often as it stands in both.
    pub(super) fn shared(&self, other: &Self) -> u64 {
        let mut others = other.0.iter().peekable();
        let mut shared = 0;
        for (key, count) in &self.0 {
            while others.next_if(|(other, _)| other < key).is_some() {}
            shared += others.next_if(|(other, _)| other == key).map_or(0, |(_, other)| *count.min(other));
        }
        shared
    }

    /// For each n-gram the larger of its two counts.
    pub(super) fn union(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self.0.sort_unstable();
        // Of equal keys the larger count comes last.
        self.0.reverse();
        self.0.dedup_by_key(|(key, _)| *key);
        self.0.reverse();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_clipped_and_united() {
        let mut interner = Interner::default();
        let [left, right] = ["a b a b a", "a b b a"].map(|text| Ngrams::count(&interner.ids(text.split(' ')), 2));
        assert_eq!((left.total(), right.total()), (4, 3));
        assert_eq!((left.shared(&right), right.shared(&left)), (2, 2));
        assert_eq!(left.clone().union(right.clone()).total(), 2 + 2 + 1);
        assert_eq!(right.clone().union(left.clone()), left.union(right));
    }

    #[test]
    fn the_longest_grams_keep_all_bits() {
        let last = u32::from(char::MAX);
        assert_eq!(Ngrams::count(&[last, 0, 0, 0, 0, 0], 6).shared(&Ngrams::count(&[0, 0, 0, 0, 0, last], 6)), 0);
        assert_eq!(Ngrams::count(&[u32::MAX, 0, 0, 0], 4).shared(&Ngrams::count(&[0, 0, 0, u32::MAX], 4)), 0);
    }
}
