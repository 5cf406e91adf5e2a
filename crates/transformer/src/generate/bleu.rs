use std::collections::HashMap;
use std::hash::Hash;

use super::diversity::n_grams;

/// What stands in for no match, as method 1 of Chen and Cherry ("A Systematic Comparison of Smoothing Techniques for Sentence-Level BLEU",
/// 2014) with the constant that NLTK has.
const EPSILON: f64 = 0.1;

/// Self-BLEU (arXiv 1802.01886): the mean over `texts` of the BLEU of each against all others, from 0 to 1; high where texts are alike.
/// 0 for fewer than two texts. Tokens may be ids or words.
///
/// BLEU is the geometric mean of the precisions of n-grams of 1 to `max_n` tokens (commonly 4), each counted at most as often as in the
/// reference that has it most, times `exp(1 - r / c)` where the text has `c` tokens, fewer than the `r` of the reference nearest in length
/// (the shorter of two). Smoothing: an order without a match counts 0.1 matches; a text that shares no single token scores 0.
pub fn self_bleu<T: Eq + Hash, S: AsRef<[T]>>(texts: &[S], max_n: usize) -> f64 {
    let texts: Vec<&[T]> = texts.iter().map(AsRef::as_ref).collect();
    if texts.len() < 2 || max_n == 0 {
        return 0.0;
    }
    let orders: Vec<Counts<'_, T>> = (1..=max_n).map(|n| Counts::new(&texts, n)).collect();
    let bleu = |index: usize| geometric_mean(&orders, index) * brevity_penalty(&texts, index);
    (0..texts.len()).map(bleu).sum::<f64>() / texts.len() as f64
}

/// How often each text has each n-gram of one length.
struct Counts<'a, T> {
    texts: Vec<HashMap<&'a [T], usize>>,
    most: HashMap<&'a [T], Most>,
}

/// Which text has an n-gram most often, how often, and how often the others have it at most.
#[derive(Clone, Copy, Default)]
struct Most {
    text: usize,
    count: usize,
    second: usize,
}

impl<'a, T: Eq + Hash> Counts<'a, T> {
    fn new(texts: &[&'a [T]], n: usize) -> Self {
        let texts: Vec<_> = texts.iter().map(|text| count(n_grams(text, n))).collect();
        let mut most: HashMap<&[T], Most> = HashMap::new();
        for (text, counts) in texts.iter().enumerate() {
            for (n_gram, &count) in counts {
                let most = most.entry(n_gram).or_default();
                if count > most.count {
                    *most = Most { text, count, second: most.count };
                } else {
                    most.second = most.second.max(count);
                }
            }
        }
        Self { texts, most }
    }

    /// N-grams of a text that the others have too, and all of its n-grams.
    fn matches(&self, text: usize) -> (usize, usize) {
        let in_others = |n_gram: &[T]| {
            let most = self.most[n_gram];
            if most.text == text { most.second } else { most.count }
        };
        let counts = &self.texts[text];
        (counts.iter().map(|(n_gram, &count)| count.min(in_others(n_gram))).sum(), counts.values().sum())
    }
}

fn count<'a, T: Eq + Hash>(n_grams: impl Iterator<Item = &'a [T]>) -> HashMap<&'a [T], usize> {
    let mut counts = HashMap::new();
    n_grams.for_each(|n_gram| *counts.entry(n_gram).or_default() += 1);
    counts
}

fn geometric_mean<T: Eq + Hash>(orders: &[Counts<'_, T>], text: usize) -> f64 {
    let matches: Vec<(usize, usize)> = orders.iter().map(|order| order.matches(text)).collect();
    if matches[0].0 == 0 {
        return 0.0;
    }
    let precision = |&(matched, all): &(usize, usize)| {
        let smoothed = if matched == 0 { EPSILON } else { matched as f64 };
        smoothed / all.max(1) as f64
    };
    (matches.iter().map(|order| precision(order).ln()).sum::<f64>() / matches.len() as f64).exp()
}

fn brevity_penalty<T>(texts: &[&[T]], index: usize) -> f64 {
    let len = texts[index].len();
    let others = texts.iter().enumerate().filter(|&(other, _)| other != index).map(|(_, text)| text.len());
    let nearest = others.min_by_key(|&other| (other.abs_diff(len), other)).expect("there are at least two texts");
    if len >= nearest { 1.0 } else { (1.0 - nearest as f64 / len as f64).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        text.split(' ').collect()
    }

    fn assert_near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9, "{value}, not {expected}");
    }

    #[test]
    fn equal_texts_score_one_and_strangers_nothing() {
        let same = vec![words("a b c d e"); 3];
        assert_near(self_bleu(&same, 4), 1.0);
        assert_near(self_bleu(&[words("a b c"), words("d e f")], 4), 0.0);
        assert_near(self_bleu(&[words("a b c")], 4), 0.0);
        assert_near(self_bleu::<&str, Vec<&str>>(&[], 4), 0.0);
        assert_near(self_bleu(&[vec![], words("a b")], 2), 0.0);
    }

    /// "a b c d" against "a b x": words 2/4, pairs 1/3, both long enough. "a b x" against "a b c d": 2/3 and 1/2, 3 tokens for 4.
    #[test]
    fn two_texts_by_hand() {
        let first = (0.5_f64 / 3.0).sqrt();
        let second = (1.0_f64 / 3.0).sqrt() * (1.0_f64 - 4.0 / 3.0).exp();
        assert_near(self_bleu(&[words("a b c d"), words("a b x")], 2), f64::midpoint(first, second));
    }

    /// Triples: none in common, so that 0.1 of 2 and 0.1 of 1 count.
    #[test]
    fn an_order_without_a_match_is_smoothed() {
        let first = (0.5_f64 / 3.0 * 0.1 / 2.0).cbrt();
        let second = (1.0_f64 / 3.0 * 0.1).cbrt() * (1.0_f64 - 4.0 / 3.0).exp();
        assert_near(self_bleu(&[words("a b c d"), words("a b x")], 3), f64::midpoint(first, second));
    }

    /// "a a a" has three a; the others have two and one, so that two of them match.
    #[test]
    fn matches_are_counted_as_often_as_one_reference_has_them() {
        let texts = [words("a a a"), words("a a b"), words("a c d")];
        // a a b: two a of "a a a", b of none. a c d: one a. The references nearest in length are all as long.
        assert_near(self_bleu(&texts, 1), (2.0 / 3.0 + 2.0 / 3.0 + 1.0 / 3.0) / 3.0);
    }

    /// Lengths 2, 4 and 6: the nearest to 4 are 2 and 6, of which the shorter counts, so that only the text of 2 pays, exp(1 - 4 / 2).
    #[test]
    fn the_nearest_reference_decides_about_brevity() {
        let texts = [vec![1; 2], vec![1; 4], vec![1; 6]];
        assert_near(self_bleu(&texts, 1), (1.0_f64.exp().recip() + 1.0 + 4.0 / 6.0) / 3.0);
    }
}
