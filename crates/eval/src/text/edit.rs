use super::bits;

/// The Levenshtein distance of two texts in characters (code points): the fewest insertions, deletions and substitutions that make one the
/// other.
///
/// What both begin and end with costs nothing. Of the rest 100,000 characters each are aligned, 64 at a time (Myers 1999, Hyyrö 2003); what
/// lies beyond counts as wholly different, so that for longer texts the distance may be too large, never too small.
///
/// ```
/// assert_eq!(jarre_eval::text::edit_distance("kitten", "sitting"), 3);
/// ```
pub fn edit_distance(left: &str, right: &str) -> usize {
    let [left, right] = [left, right].map(|text| text.chars().collect::<Vec<_>>());
    bits::distance(&left, &right)
}

/// One less the [`edit_distance`] over the characters of the longer text, from 0 to 1: 1 for equal texts, two empty ones among them.
///
/// ```
/// assert_eq!(jarre_eval::text::edit_similarity("kitten", "sitting"), 1.0 - 3.0 / 7.0);
/// ```
pub fn edit_similarity(left: &str, right: &str) -> f64 {
    let longer = left.chars().count().max(right.chars().count());
    if longer == 0 { 1.0 } else { 1.0 - edit_distance(left, right) as f64 / longer as f64 }
}
