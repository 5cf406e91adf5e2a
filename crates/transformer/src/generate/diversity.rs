use std::collections::HashSet;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

/// How much a text repeats itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repetition {
    /// The share of its n-grams that it had before: 1 less distinct over all n-grams (seq-rep-n of arXiv 1908.04319); 0 where it has none.
    pub rate: f64,
    /// Tokens of the longest stretch that stands at two places of it, which may overlap.
    pub longest: usize,
}

/// Distinct over all n-grams of several texts together (distinct-n of arXiv 1510.03055), from 0 to 1: low where texts repeat themselves and
/// each other. 0 where there is no n-gram. Tokens may be ids or words.
pub fn distinct_n<T: Eq + Hash, S: AsRef<[T]>>(texts: &[S], n: usize) -> f64 {
    let all = texts.iter().map(|text| n_grams(text.as_ref(), n).count()).sum();
    let distinct = texts.iter().flat_map(|text| n_grams(text.as_ref(), n)).collect::<HashSet<_>>().len();
    ratio(distinct, all)
}

/// How much `text` repeats itself, by its n-grams and by its longest stretch; `O(len log len)` n-grams of up to `len` tokens are compared.
pub fn repetition<T: Eq + Hash>(text: &[T], n: usize) -> Repetition {
    let all = n_grams(text, n).count();
    let distinct = n_grams(text, n).collect::<HashSet<_>>().len();
    Repetition { rate: ratio(all - distinct, all), longest: longest_repeat(text) }
}

/// The parts of `n` tokens, in order; none of 0 tokens.
pub(super) fn n_grams<T>(text: &[T], n: usize) -> impl Iterator<Item = &[T]> {
    (n > 0).then(|| text.windows(n)).into_iter().flatten()
}

/// A stretch that repeats holds shorter ones that do, so the longest is found by halving.
fn longest_repeat<T: Eq + Hash>(text: &[T]) -> usize {
    let repeats = |n: usize| {
        let mut seen = HashSet::new();
        n_grams(text, n).any(|n_gram| !seen.insert(n_gram))
    };
    let (mut longest, mut too_long) = (0, text.len().max(1));
    while longest + 1 < too_long {
        let middle = usize::midpoint(longest, too_long);
        if repeats(middle) {
            longest = middle;
        } else {
            too_long = middle;
        }
    }
    longest
}

pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "ratios of the same counts are the same")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn distinct_n_grams_are_counted_over_all_texts() {
        let texts = [vec!["a", "b", "a"], vec!["a", "b"]];
        assert_eq!([1, 2, 3, 4, 0].map(|n| distinct_n(&texts, n)), [2.0 / 5.0, 2.0 / 3.0, 1.0, 0.0, 0.0]);
        assert_eq!(distinct_n::<u32, [u32; 0]>(&[], 1), 0.0);
    }

    #[test]
    fn repetition_is_a_share_of_n_grams_and_a_longest_stretch() {
        // Of 1 2 3 1 2 3 1, six pairs: 12 23 31 12 23 31, of which three were there before; 1231 stands at 0 and at 3.
        assert_eq!(repetition(&[1, 2, 3, 1, 2, 3, 1], 2), Repetition { rate: 0.5, longest: 4 });
        assert_eq!(repetition(&[5; 10], 1), Repetition { rate: 0.9, longest: 9 });
        assert_eq!(repetition(&[1, 2, 3], 1), Repetition { rate: 0.0, longest: 0 });
        assert_eq!(repetition(&[1, 2, 1], 4), Repetition { rate: 0.0, longest: 1 });
        assert_eq!(repetition::<u32>(&[], 2), Repetition { rate: 0.0, longest: 0 });
    }

    proptest! {
        #[test]
        fn the_longest_stretch_is_that_of_comparing_all_places(text in prop::collection::vec(0_u8..3, 0..40)) {
            let common = |a: usize, b: usize| text[a..].iter().zip(&text[b..]).take_while(|(a, b)| a == b).count();
            let longest = (0..text.len()).flat_map(|a| (a + 1..text.len()).map(move |b| common(a, b))).max().unwrap_or(0);
            prop_assert_eq!(repetition(&text, 2).longest, longest);
        }
    }
}
