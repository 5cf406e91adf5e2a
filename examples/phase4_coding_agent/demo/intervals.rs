/// Joins intervals that overlap or touch, in ascending order. An interval is its first and its last number.
pub fn merge(intervals: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    let mut merged: Vec<(i64, i64)> = Vec::new();
    for (first, last) in intervals {
        match merged.last_mut() {
            Some(before) if first <= before.1 => before.1 = last,
            _ => merged.push((first, last)),
        }
    }
    merged
}
