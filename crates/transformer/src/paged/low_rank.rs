//! Low-rank sums of adapters on their way between workers, beside the integers of a layer.

use jarre_kernels::packed::largest_magnitudes;

/// What `A` of an adapter makes of its rows of a step, `[rows, rank]`: of some of the inputs, a part of each sum.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LowRank {
    /// Which of the step's adapters.
    pub(super) adapter: usize,
    pub(super) values: Vec<f32>,
    pub(super) rank: usize,
}

/// The largest sum of integers that stand for a row, in magnitude.
const LARGEST: f64 = (1_u32 << 30) as f64;

/// The largest magnitude of every row.
pub(super) fn largest(all: &[LowRank]) -> Vec<f32> {
    all.iter().flat_map(|low| largest_magnitudes(&low.values, low.rank)).collect()
}

/// The values as integers that can be added up over `world` workers; `largest` are the largest magnitudes of each row over all of them.
/// A row's values become multiples of a unit that is finer than the float of its largest.
pub(super) fn to_integers<'a>(all: &'a [LowRank], largest: &'a [f32], world: usize) -> impl Iterator<Item = i32> + 'a {
    let rows = all.iter().flat_map(|low| low.values.chunks_exact(low.rank));
    rows.zip(largest).flat_map(move |(row, &largest)| {
        let unit = unit(largest, world);
        row.iter().map(move |&value| (f64::from(value) / unit).round() as i32)
    })
}

/// The sums that `integers` stand for.
pub(super) fn from_integers(mut all: Vec<LowRank>, integers: &[i32], largest: &[f32], world: usize) -> Vec<LowRank> {
    let rows = all.iter_mut().flat_map(|low| low.values.chunks_exact_mut(low.rank));
    let mut integers = integers.iter();
    for (row, &largest) in rows.zip(largest) {
        let unit = unit(largest, world);
        row.iter_mut().zip(&mut integers).for_each(|(value, integer)| *value = (f64::from(*integer) * unit) as f32);
    }
    all
}

/// What an integer counts; infinite or no number where a value of the row is, which its sums then are too.
fn unit(largest: f32, world: usize) -> f64 {
    f64::from(largest) * world as f64 / LARGEST
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RANK: usize = 3;

    /// The sums that workers get of parts that each has.
    fn summed(parts: &[Vec<f32>]) -> Vec<f32> {
        let low = |values: &Vec<f32>| vec![LowRank { adapter: 0, values: values.clone(), rank: RANK }];
        let magnitudes: Vec<_> = parts.iter().map(|part| largest(&low(part))).collect();
        let most = |row: usize| magnitudes.iter().map(|part| part[row]).max_by_key(|value| value.to_bits()).unwrap();
        let most: Vec<f32> = (0..magnitudes[0].len()).map(most).collect();
        let mut sums = vec![0_i32; parts[0].len()];
        for part in parts {
            let integers = to_integers(&low(part), &most, parts.len()).collect::<Vec<_>>();
            sums.iter_mut().zip(integers).for_each(|(sum, value)| *sum = sum.checked_add(value).expect("sums fit"));
        }
        from_integers(low(&parts[0]), &sums, &most, parts.len()).remove(0).values
    }

    proptest! {
        #[test]
        fn sums_are_those_of_floats(
            parts in proptest::collection::vec(proptest::collection::vec(-1.0_f32..1.0, 2 * RANK), 1..9),
            exponent in -45_i32..38,
        ) {
            let scale = 10_f64.powi(exponent);
            let parts: Vec<Vec<f32>> = parts.iter().map(|part| part.iter().map(|&x| (f64::from(x) * scale) as f32).collect()).collect();
            let exact = |at: usize| parts.iter().map(|part| f64::from(part[at])).sum::<f64>();
            let most = parts.iter().flatten().fold(0.0_f64, |most, &x| most.max(f64::from(x).abs()));
            for (at, sum) in summed(&parts).into_iter().enumerate() {
                let bound = most * 1e-7 * parts.len() as f64 + f64::from(f32::from_bits(1));
                prop_assert!((f64::from(sum) - exact(at)).abs() <= bound, "{sum} and {}", exact(at));
            }
        }
    }

    #[test]
    fn a_row_is_as_exact_as_it_is_alone_and_none_hides_what_is_no_number() {
        let small = [1e-6, -2e-6, 3e-6];
        let beside = |company: [f32; RANK]| summed(&[[company, small].concat(), [[0.0; RANK], small].concat()]);
        assert_eq!(beside([1e9; RANK])[RANK..], beside([0.0; RANK])[RANK..]);
        assert_eq!(beside([0.0; RANK])[..RANK], [0.0; RANK]);
        for odd in [f32::NAN, f32::INFINITY] {
            let sums = beside([1.0, odd, 2.0]);
            assert!(sums[..RANK].iter().all(|sum| sum.is_nan()) && sums[RANK..].iter().all(|sum| sum.is_finite()), "{sums:?}");
        }
    }
}
