use burn::tensor::Device;
use rayon::prelude::*;

use crate::error::{Error, Result};

/// Texts whose tokens are in memory at a time.
pub(crate) const WINDOW: usize = 2048;

/// Padded tokens of a batch on the CPU, where several batches run beside each other: their hidden states stay in the cache.
const HOST_BUDGET: usize = 512;

/// Padded tokens of a batch on other devices, which want much work at once.
const DEVICE_BUDGET: usize = 16 * 1024;

/// Calls `run` with the indices of sequences of similar length, on the CPU for several groups at a time, and puts the `width` values that
/// it gives for each of them into `rows [lengths.len(), width]`. Rows of sequences without tokens stay as they are.
pub(crate) fn run_by_length(
    lengths: &[usize],
    device: &Device,
    (rows, width): (&mut [f32], usize),
    run: impl Fn(&[usize]) -> Result<Vec<f32>> + Sync,
) -> Result<()> {
    let on_host = jarre_kernels::on_host(device) && !device.is_autodiff();
    let groups = group_by_length(lengths, if on_host { HOST_BUDGET } else { DEVICE_BUDGET });
    let results: Vec<Vec<f32>> = match groups.len() {
        // One batch is better split inside its operations, several are better run beside each other.
        2.. if on_host => groups.par_iter().map(|group| run(group)).collect::<Result<_>>()?,
        _ => groups.iter().map(|group| run(group)).collect::<Result<_>>()?,
    };
    for (&index, values) in groups.iter().flatten().zip(results.iter().flat_map(|batch| batch.chunks_exact(width))) {
        rows[index * width..(index + 1) * width].copy_from_slice(values);
    }
    Ok(())
}

/// Refuses tokens that a model of `vocab_size` words does not have.
pub(crate) fn within_vocabulary(ids: &[u32], vocab_size: usize) -> Result<()> {
    match ids.iter().find(|&&id| id as usize >= vocab_size) {
        Some(id) => Err(Error::Tokenize(format!("token {id} is beyond the model's {vocab_size} words"))),
        None => Ok(()),
    }
}

/// Groups sequences so that little padding is computed: indices of `lengths` in groups whose padded size is at most `budget` tokens
/// (or one sequence) and in which no sequence is much shorter than the longest. Sequences without tokens are left out.
///
/// Longest first, so that threads that take groups one after another end at about the same time.
fn group_by_length(lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).filter(|&i| lengths[i] > 0).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(lengths[i]));
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for index in order {
        match groups.last_mut() {
            Some(group) if fits(lengths[group[0]], group.len(), lengths[index], budget) => group.push(index),
            _ => groups.push(vec![index]),
        }
    }
    groups
}

/// Whether a sequence of `length` tokens joins a group of `count` whose longest has `longest`: at most an eighth of it is padding.
fn fits(longest: usize, count: usize, length: usize, budget: usize) -> bool {
    longest * (count + 1) <= budget && longest - length <= longest / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_every_sequence_once_within_the_budget() {
        let lengths: Vec<usize> = (0..200).map(|i| (i * 37) % 91).collect();
        let groups = group_by_length(&lengths, 256);
        let mut seen: Vec<usize> = groups.iter().flatten().copied().collect();
        seen.sort_unstable();
        let expected: Vec<usize> = (0..200).filter(|&i| lengths[i] > 0).collect();
        assert_eq!(seen, expected);
        for group in &groups {
            let longest = group.iter().map(|&i| lengths[i]).max().unwrap();
            let shortest = group.iter().map(|&i| lengths[i]).min().unwrap();
            assert!(longest * group.len() <= 256 && longest - shortest <= longest / 8, "{group:?}");
        }
        assert!(groups.len() < 60, "{} groups", groups.len());
    }

    #[test]
    fn a_sequence_beyond_the_budget_is_a_group_of_its_own() {
        assert_eq!(group_by_length(&[300, 5, 300], 256), vec![vec![0], vec![2], vec![1]]);
    }

    #[test]
    fn values_land_in_the_rows_of_their_sequences() {
        let lengths = [3, 0, 700, 1, 3];
        let mut rows = vec![-1.0; 10];
        let run = |group: &[usize]| Ok(group.iter().flat_map(|&index| [index as f32, lengths[index] as f32]).collect());
        run_by_length(&lengths, &Device::flex(), (&mut rows, 2), run).unwrap();
        assert_eq!(rows, [0.0, 3.0, -1.0, -1.0, 2.0, 700.0, 3.0, 1.0, 4.0, 3.0]);
    }
}
