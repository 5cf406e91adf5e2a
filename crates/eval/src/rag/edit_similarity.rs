/// 1 less the Levenshtein distance of the characters over the longer length; 1 for two empty texts. Of longer texts the first [`LIMIT`]
/// characters are compared, so that the cost stays bounded. Time O(n m), memory O(m).
pub(super) fn edit_similarity(first: &str, second: &str) -> f64 {
    let (first, second): (Vec<char>, Vec<char>) = (first.chars().take(LIMIT).collect(), second.chars().take(LIMIT).collect());
    let longer = first.len().max(second.len());
    if longer == 0 {
        return 1.0;
    }
    let before = first.iter().zip(&second).take_while(|(a, b)| a == b).count();
    let (first, second) = (&first[before..], &second[before..]);
    let after = first.iter().rev().zip(second.iter().rev()).take_while(|(a, b)| a == b).count();
    1.0 - distance(&first[..first.len() - after], &second[..second.len() - after]) as f64 / longer as f64
}

const LIMIT: usize = 10_000;

fn distance(first: &[char], second: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=second.len()).collect();
    for (i, a) in first.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in second.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[second.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_computed_similarities() {
        for (first, second, edits, longer) in [
            ("kitten", "sitting", 3.0, 7.0),
            ("flaw", "lawn", 2.0, 4.0),
            ("", "abc", 3.0, 3.0),
            ("äb", "b", 1.0, 2.0),
            ("aa", "aaa", 1.0, 3.0),
        ] {
            let expected = 1.0 - edits / longer;
            assert!((edit_similarity(first, second) - expected).abs() < 1e-12, "{first} {second}");
            assert!((edit_similarity(second, first) - expected).abs() < 1e-12, "{second} {first}");
        }
        assert!((edit_similarity("", "") - 1.0).abs() < 1e-12);
    }
}
