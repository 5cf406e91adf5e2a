//! Work on the rows of a slice, split over threads and compiled for the processor's widest vectors.
//!
//! Which rows a task takes depends on their width alone, and sums over rows are added task by task: results are the same for any number of
//! threads.

use rayon::prelude::*;

use crate::packed::Pool;

/// Values that a thread takes at a time: small enough for the first-level cache, large enough to pay for a task.
pub(crate) const VALUES_PER_TASK: usize = 16 * 1024;

/// Rows of `width` values that make a task.
pub(crate) fn rows_per_task(width: usize) -> usize {
    (VALUES_PER_TASK / width.max(1)).max(1)
}

/// Runs `edit` on every row of `width` values with the row's index, on the threads that multiply matrices: they are at hand between products,
/// while those of rayon would have to be woken.
pub(crate) fn edit_rows(values: &mut [f32], width: usize, edit: impl Fn(usize, &mut [f32]) + Sync) {
    let rows = rows_per_task(width);
    let arch = pulp::Arch::new();
    Pool::global().edit_chunks(values, rows * width.max(1), |task, values| {
        arch.dispatch(
            #[inline(always)]
            || {
                for (row, values) in values.chunks_exact_mut(width).enumerate() {
                    edit(task * rows + row, values);
                }
            },
        );
    });
}

/// The rows of `source` copied, and `edit` run on each copy.
pub(crate) fn copy_rows(source: &[f32], width: usize, edit: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut values = vec![0.0; source.len()];
    edit_rows(&mut values, width, |index, row| {
        row.copy_from_slice(&source[index * width..(index + 1) * width]);
        edit(index, row);
    });
    values
}

/// Runs `edit` on every row of `width` values with the row's index and `sums` numbers to add to; gives back their totals over all rows.
pub(crate) fn sum_rows(values: &mut [f32], width: usize, sums: usize, edit: impl Fn(usize, &mut [f32], &mut [f32]) + Sync) -> Vec<f32> {
    let rows = rows_per_task(width);
    let arch = pulp::Arch::new();
    let task = |(task, values): (usize, &mut [f32])| {
        let mut sum = vec![0.0_f32; sums];
        arch.dispatch(
            #[inline(always)]
            || {
                for (row, values) in values.chunks_exact_mut(width).enumerate() {
                    edit(task * rows + row, values, &mut sum);
                }
            },
        );
        sum
    };
    let parts: Vec<Vec<f32>> = values.par_chunks_mut(rows * width).enumerate().map(task).collect();
    let mut total = vec![0.0_f32; sums];
    for part in parts {
        for (total, value) in total.iter_mut().zip(part) {
            *total += value;
        }
    }
    total
}

/// Folds `map` of every value in sixteen independent lanes, so that the order of additions is fixed and vectors can be used.
#[inline(always)]
pub(crate) fn fold_lanes(row: &[f32], start: f32, join: impl Fn(f32, f32) -> f32, map: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [start; 16];
    let blocks = row.chunks_exact(16);
    let tail = blocks.remainder();
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *lane = join(*lane, map(*x));
        }
    }
    for (lane, x) in lanes.iter_mut().zip(tail) {
        *lane = join(*lane, map(*x));
    }
    lanes.into_iter().fold(start, join)
}

/// The sum of a row.
#[inline(always)]
pub(crate) fn sum(row: &[f32]) -> f32 {
    fold_lanes(row, 0.0, |a, b| a + b, |x| x)
}

/// The largest value of a row.
#[inline(always)]
pub(crate) fn largest(row: &[f32]) -> f32 {
    fold_lanes(row, f32::NEG_INFINITY, f32::max, |x| x)
}

/// The sum of products of two rows, in sixteen lanes.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let (blocks_a, blocks_b) = (a.chunks_exact(16), b.chunks_exact(16));
    let tails = blocks_a.remainder().iter().zip(blocks_b.remainder());
    for (a, b) in blocks_a.zip(blocks_b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    for (lane, (a, b)) in lanes.iter_mut().zip(tails) {
        *lane += a * b;
    }
    lanes.into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_seen_once_with_its_own_index() {
        let mut values = vec![0.0; 3 * 20_000];
        edit_rows(&mut values, 3, |index, row| row.iter_mut().for_each(|x| *x += index as f32));
        assert!(values.chunks_exact(3).enumerate().all(|(index, row)| row.iter().all(|&x| x.to_bits() == (index as f32).to_bits())));
    }

    #[test]
    fn sums_over_rows_do_not_depend_on_threads() {
        let source: Vec<f32> = (0..70 * 1000).map(|i| (i as f32 * 0.37).sin()).collect();
        let totals = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut values = source.clone();
                sum_rows(&mut values, 70, 70, |_, row, sums| sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x))
            })
        };
        let one = totals(1);
        assert_eq!(one, totals(3));
        let slow: f64 = source.iter().step_by(70).map(|&x| f64::from(x)).sum();
        assert!((f64::from(one[0]) - slow).abs() < 1e-3, "{} {slow}", one[0]);
    }
}
