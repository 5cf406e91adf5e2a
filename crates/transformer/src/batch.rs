use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::attention::KeyPadding;

/// Token ids of several sequences, padded on the right to the longest of them.
#[derive(Clone, Debug)]
pub struct TokenBatch {
    /// `[batch, seq]`.
    pub(crate) ids: Tensor<2, Int>,
    pub(crate) padding: KeyPadding,
}

impl TokenBatch {
    /// A batch of `sequences` on `device`; shorter ones are filled with `pad_id`.
    ///
    /// # Panics
    /// Where there is no sequence, or an empty one.
    pub fn new(sequences: &[&[u32]], pad_id: u32, device: &Device) -> Self {
        let lengths: Vec<usize> = sequences.iter().map(|ids| ids.len()).collect();
        assert!(lengths.iter().all(|&length| length > 0), "a sequence needs at least one token");
        let seq = lengths.iter().copied().max().expect("a batch needs at least one sequence");
        let pad = |ids: &&[u32]| ids.iter().copied().chain(std::iter::repeat(pad_id)).take(seq).map(|id| id as i32).collect::<Vec<_>>();
        let ids = TensorData::new(sequences.iter().flat_map(pad).collect(), [sequences.len(), seq]);
        let mask = lengths.iter().any(|&length| length < seq).then(|| key_mask(&lengths, seq, device));
        Self { ids: Tensor::from_data(ids, device), padding: KeyPadding { lengths, mask } }
    }

    /// Tokens of each sequence, padding not counted.
    pub fn lengths(&self) -> &[usize] {
        &self.padding.lengths
    }

    /// Tokens of the longest sequence.
    pub fn seq(&self) -> usize {
        self.ids.dims()[1]
    }
}

/// `[batch, 1, 1, seq]`, true in the padding.
fn key_mask(lengths: &[usize], seq: usize, device: &Device) -> Tensor<4, Bool> {
    let mask: Vec<bool> = lengths.iter().flat_map(|&length| (0..seq).map(move |key| key >= length)).collect();
    Tensor::from_data(TensorData::new(mask, [lengths.len(), 1, 1, seq]), device)
}

/// Groups sequences so that little padding is computed: indices of `lengths` in groups whose padded size is at most `budget` tokens
/// (or one sequence) and in which no sequence is much shorter than the longest. Sequences without tokens are left out.
///
/// Longest first, so that threads that take groups one after another end at about the same time.
pub(crate) fn group_by_length(lengths: &[usize], budget: usize) -> Vec<Vec<usize>> {
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
}
