//! The largest of many numbers.

use std::cmp::Ordering;

/// Numbers that are compared with the least of the kept ones at once.
const CHUNK: usize = 64;

/// Indices and values of the `k` largest of `logits`, the largest first, equal ones by index, and no numbers after all others; all of them
/// where there are fewer. The logits are read once, and a number that is not among the largest so far costs one comparison.
///
/// ```
/// assert_eq!(jarre_kernels::top_k(&[1.0, f32::NAN, 3.0, 1.0], 2), [(2, 3.0), (0, 1.0)]);
/// ```
pub fn top_k(logits: &[f32], k: usize) -> Vec<(usize, f32)> {
    if k == 0 {
        return Vec::new();
    }
    let room = k.saturating_mul(2).max(CHUNK);
    let mut kept: Vec<(usize, f32)> = Vec::with_capacity(room.min(logits.len()));
    let mut least = f32::NAN;
    for (chunk, values) in logits.chunks(CHUNK).enumerate() {
        // One that equals the least stands after it and is not kept.
        if kept.len() < k || least.is_nan() || values.iter().filter(|&&x| x > least).count() > 0 {
            for (i, &x) in values.iter().enumerate() {
                kept.push((chunk * CHUNK + i, x));
                if kept.len() >= room {
                    least = cut(&mut kept, k);
                }
            }
        }
    }
    cut(&mut kept, k);
    kept.sort_unstable_by(first);
    kept
}

/// Leaves the `k` largest in any order and gives back the least of them; NaN where there are fewer.
fn cut(kept: &mut Vec<(usize, f32)>, k: usize) -> f32 {
    if kept.len() < k {
        return f32::NAN;
    }
    let (_, &mut (_, least), _) = kept.select_nth_unstable_by(k - 1, first);
    kept.truncate(k);
    least
}

/// Which of two comes first.
fn first(a: &(usize, f32), b: &(usize, f32)) -> Ordering {
    let values = b.1.partial_cmp(&a.1).unwrap_or_else(|| a.1.is_nan().cmp(&b.1.is_nan()));
    values.then(a.0.cmp(&b.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = f32> {
        prop_oneof![
            8 => -4_i8..4,
            1 => Just(9),
            1 => Just(10),
            1 => Just(11),
        ]
        .prop_map(|x| match x {
            9 => f32::NAN,
            10 => f32::NEG_INFINITY,
            11 => -0.0,
            x => f32::from(x),
        })
    }

    proptest! {
        #[test]
        fn the_largest_are_those_of_a_stable_sort(
            logits in prop_oneof![prop::collection::vec(number(), 0..50), prop::collection::vec(-1e3_f32..1e3, 0..900), prop::collection::vec(number(), 0..900)],
            k in prop_oneof![0_usize..5, 0_usize..1000],
        ) {
            let mut expected: Vec<(usize, f32)> = logits.iter().copied().enumerate().collect();
            // A stable sort keeps equal ones in order.
            expected.sort_by(|a, b| match (a.1.is_nan(), b.1.is_nan()) {
                (false, false) => b.1.partial_cmp(&a.1).unwrap(),
                (a, b) => a.cmp(&b),
            });
            expected.truncate(k);
            let bits = |x: &[(usize, f32)]| x.iter().map(|(i, x)| (*i, x.to_bits())).collect::<Vec<_>>();
            prop_assert_eq!(bits(&top_k(&logits, k)), bits(&expected));
        }
    }
}
