use rand::RngExt;

use crate::rng;

/// Batches among whose texts those of similar length are sought.
const POOL: usize = 8;

/// The batches of one epoch: the indices of `lengths` in groups of `size` (the last ones may be smaller) of which each index is in one.
/// Texts of a batch are of similar length, so that little padding is computed; who meets whom and the order are drawn by `seed`, anew for
/// every `epoch`.
///
/// ```
/// # use jarre_transformer::train::batches_by_length;
/// let batches = batches_by_length(&[3, 90, 4, 88], 2, 7, 0);
/// assert!(batches.contains(&vec![0, 2]) || batches.contains(&vec![2, 0]));
/// ```
///
/// # Panics
/// Where `size` is 0.
pub fn batches_by_length(lengths: &[usize], size: usize, seed: u64, epoch: u64) -> Vec<Vec<usize>> {
    let mut rng = rng::stream(seed, epoch);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    shuffle(&mut order, &mut rng);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for pool in order.chunks_mut(size * POOL) {
        pool.sort_by_key(|&index| lengths[index]);
        batches.extend(pool.chunks(size).map(<[usize]>::to_vec));
    }
    shuffle(&mut batches, &mut rng);
    batches
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], rng: &mut impl rand::Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_in_one_batch_of_an_epoch() {
        let lengths: Vec<usize> = (0..203).map(|index| (index * 37) % 91).collect();
        for epoch in 0..3 {
            let batches = batches_by_length(&lengths, 16, 1, epoch);
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            assert!(seen.iter().copied().eq(0..203));
            assert!(batches.iter().all(|batch| batch.len() <= 16));
        }
        assert!(batches_by_length(&[], 4, 0, 0).is_empty());
    }

    #[test]
    fn epochs_and_seeds_differ_and_nothing_else_does() {
        let lengths = [5; 40];
        let first = batches_by_length(&lengths, 4, 1, 0);
        assert_eq!(first, batches_by_length(&lengths, 4, 1, 0));
        assert_ne!(first, batches_by_length(&lengths, 4, 1, 1));
        assert_ne!(first, batches_by_length(&lengths, 4, 2, 0));
    }

    #[test]
    fn little_is_padded() {
        let lengths: Vec<usize> = (0..512).map(|index| 1 + (index * 97) % 256).collect();
        let batches = batches_by_length(&lengths, 16, 3, 0);
        let padded: usize = batches.iter().map(|batch| batch.len() * batch.iter().map(|&index| lengths[index]).max().unwrap()).sum();
        assert!(padded * 4 < lengths.iter().sum::<usize>() * 5, "{padded}");
    }
}
