use std::collections::{BTreeMap, BTreeSet};

/// The words of `text` in lower case: runs of letters and digits, in order.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The words of `text` that carry meaning: all but English function words; all of them where nothing else is left.
pub(crate) fn content_words(text: &str) -> Vec<String> {
    let (content, function): (Vec<_>, Vec<_>) = words(text).partition(|word| !is_function_word(word));
    if content.is_empty() { function } else { content }
}

/// Whether `word`, in lower case, only holds sentences together.
pub(crate) fn is_function_word(word: &str) -> bool {
    FUNCTION_WORDS.contains(&word)
}

/// The share of `of` that stands in `within`; `None` where `of` is empty.
pub(crate) fn containment(of: &[String], within: &BTreeSet<String>) -> Option<f64> {
    let found = of.iter().filter(|word| within.contains(*word)).count();
    (!of.is_empty()).then(|| found as f64 / of.len() as f64)
}

/// The harmonic mean of the shares of each side's words that the other has too, each as often as in the rarer side (the token F1 of
/// SQuAD, arXiv 1606.05250); `None` where both are empty.
pub(crate) fn overlap(first: &[String], second: &[String]) -> Option<f64> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in first {
        *counts.entry(word).or_default() += 1;
    }
    let mut shared = 0;
    for word in second {
        if let Some(count) = counts.get_mut(word.as_str()).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    let total = first.len() + second.len();
    (total > 0).then(|| 2.0 * f64::from(shared) / total as f64)
}

const FUNCTION_WORDS: [&str; 60] = [
    "a", "about", "also", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "did", "do", "does", "for", "from", "had",
    "has", "have", "he", "her", "his", "i", "in", "into", "is", "it", "its", "of", "on", "or", "s", "she", "so", "t", "than", "that",
    "the", "their", "them", "there", "these", "they", "this", "those", "to", "was", "we", "were", "what", "when", "where", "which", "who",
    "will", "with", "would", "you",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        words(text).collect()
    }

    #[test]
    fn function_words_go_unless_nothing_else_is_there() {
        assert_eq!(content_words("The cat's on the MAT, 7.5 m"), ["cat", "mat", "7", "5", "m"]);
        assert_eq!(content_words("to be or"), ["to", "be", "or"]);
        assert!(content_words("?! \u{200b}").is_empty());
    }

    #[test]
    fn overlap_counts_each_word_once() {
        assert_eq!(overlap(&list("a a b"), &list("a c")), Some(2.0 / 5.0));
        assert_eq!(overlap(&list("x"), &[]), Some(0.0));
        assert_eq!(overlap(&[], &[]), None);
    }

    #[test]
    fn containment_is_of_the_first_in_the_second() {
        let within: BTreeSet<String> = list("a b").into_iter().collect();
        assert_eq!(containment(&list("a a c"), &within), Some(2.0 / 3.0));
        assert_eq!(containment(&[], &within), None);
    }
}
