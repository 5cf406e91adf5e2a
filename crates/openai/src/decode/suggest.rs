/// The candidate that `given` may have been meant to be: the nearest, where few edits lead there.
pub(super) fn nearest(given: &str, candidates: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    // No name of the API is longer; a longer one is no slip of the pen, and the distance costs the product of the lengths.
    const LONGEST: usize = 40;
    if given.len() > LONGEST {
        return None;
    }
    let near = candidates.into_iter().map(|candidate| (distance(given, candidate), candidate)).min()?;
    (near.0 <= (near.1.len() / 3).min(3)).then_some(near.1)
}

/// Edits (insertions, deletions, replacements of a byte) between two names; letters of either case are one.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(!x.eq_ignore_ascii_case(&y));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_levenshteins() {
        for (a, b, edits) in [("", "abc", 3), ("kitten", "sitting", 3), ("topP", "top_p", 1), ("same", "same", 0), ("ab", "ba", 2)] {
            assert_eq!((distance(a, b), distance(b, a)), (edits, edits), "{a} {b}");
        }
    }

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["temperature", "top_p", "top_k", "max_tokens", "n"];
        let nearest = |given: &str| nearest(given, known);
        assert_eq!(nearest("temprature"), Some("temperature"));
        assert_eq!(nearest("maxTokens"), Some("max_tokens"));
        assert_eq!(nearest("top-p"), Some("top_p"));
        assert_eq!(nearest("store"), None);
        assert_eq!(nearest("x"), None);
        assert_eq!(nearest(&"n".repeat(10_000)), None);
    }
}
