use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData};

/// Token ids of several sequences in one rectangle, with what the model has to know of their places.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequences {
    ids: Vec<u32>,
    seq: usize,
    /// Where the tokens of each row are; the rest is padding.
    tokens: Vec<Range<usize>>,
    /// Number of the document that a token belongs to, `[batch, seq]`; tokens see their own document only.
    documents: Option<Vec<u32>>,
}

impl Sequences {
    /// Rows filled with `pad_id` behind their tokens, to the longest of them.
    ///
    /// # Panics
    /// Where there is no sequence, or an empty one.
    pub fn right_padded(sequences: &[&[u32]], pad_id: u32) -> Self {
        Self::padded(sequences, pad_id, |length, _| 0..length)
    }

    /// Rows filled with `pad_id` before their tokens, to the longest of them.
    ///
    /// # Panics
    /// Where there is no sequence, or an empty one.
    pub fn left_padded(sequences: &[&[u32]], pad_id: u32) -> Self {
        Self::padded(sequences, pad_id, |length, seq| seq - length..seq)
    }

    /// Whether tokens see only those of their own document.
    pub(crate) fn has_documents(&self) -> bool {
        self.documents.is_some()
    }

    /// Rows of `seq` tokens without padding, `ids [batch, seq]`. With `documents [batch, seq]` a token sees only tokens of the same number,
    /// and positions start anew with each of them.
    ///
    /// # Panics
    /// Where `ids` is empty or makes no whole rows, or `documents` has another length.
    pub fn packed(ids: Vec<u32>, seq: usize, documents: Option<Vec<u32>>) -> Self {
        assert!(seq > 0 && !ids.is_empty() && ids.len().is_multiple_of(seq), "{} ids make no rows of {seq}", ids.len());
        assert!(documents.as_ref().is_none_or(|documents| documents.len() == ids.len()), "each token needs the number of its document");
        let tokens = vec![0..seq; ids.len() / seq];
        Self { ids, seq, tokens, documents }
    }

    /// Rows.
    pub fn batch(&self) -> usize {
        self.tokens.len()
    }

    /// Columns, padding included.
    pub fn seq(&self) -> usize {
        self.seq
    }

    /// Columns of each row that hold tokens.
    pub fn tokens(&self) -> &[Range<usize>] {
        &self.tokens
    }

    /// The largest id.
    pub fn max_id(&self) -> u32 {
        self.ids.iter().copied().max().unwrap_or(0)
    }

    /// Rows `indices`, in this order.
    ///
    /// # Panics
    /// Where an index is beyond the batch.
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        let rows = |values: &Vec<u32>| indices.iter().flat_map(|row| &values[row * self.seq..(row + 1) * self.seq]).copied().collect();
        Self {
            ids: rows(&self.ids),
            seq: self.seq,
            tokens: indices.iter().map(|&row| self.tokens[row].clone()).collect(),
            documents: self.documents.as_ref().map(rows),
        }
    }

    /// Ids on `device`, `[batch, seq]`.
    pub(crate) fn ids(&self, device: &Device) -> Tensor<2, Int> {
        let ids: Vec<i32> = self.ids.iter().map(|&id| id as i32).collect();
        Tensor::from_data(TensorData::new(ids, [self.batch(), self.seq]), device)
    }

    /// Positions, `[batch][seq]`, those of each row counted from `past` on; one row where all rows have the same. Padding gets the
    /// position of a neighbour.
    pub(crate) fn positions(&self, past: &[usize]) -> Vec<Vec<usize>> {
        let row = |row: usize| {
            if let Some(documents) = &self.documents {
                return positions_in_documents(&documents[row * self.seq..(row + 1) * self.seq]);
            }
            let tokens = &self.tokens[row];
            (0..self.seq).map(|column| past[row] + column.clamp(tokens.start, tokens.end - 1) - tokens.start).collect()
        };
        let rows: Vec<Vec<usize>> = (0..self.batch()).map(row).collect();
        if rows.windows(2).all(|pair| pair[0] == pair[1]) { rows.into_iter().take(1).collect() } else { rows }
    }

    /// The document of a token, 0 where there are none.
    pub(crate) fn document(&self, row: usize, column: usize) -> u32 {
        self.documents.as_ref().map_or(0, |documents| documents[row * self.seq + column])
    }

    /// Whether every row sees the same: no padding, no documents.
    pub(crate) fn is_uniform(&self) -> bool {
        self.documents.is_none() && self.tokens.iter().all(|tokens| *tokens == (0..self.seq))
    }

    fn padded(sequences: &[&[u32]], pad_id: u32, place: impl Fn(usize, usize) -> Range<usize>) -> Self {
        assert!(sequences.iter().all(|ids| !ids.is_empty()), "a sequence needs at least one token");
        let seq = sequences.iter().map(|ids| ids.len()).max().expect("a batch needs at least one sequence");
        let tokens: Vec<Range<usize>> = sequences.iter().map(|ids| place(ids.len(), seq)).collect();
        let mut ids = vec![pad_id; sequences.len() * seq];
        for ((row, sequence), tokens) in ids.chunks_exact_mut(seq).zip(sequences).zip(&tokens) {
            row[tokens.clone()].copy_from_slice(sequence);
        }
        Self { ids, seq, tokens, documents: None }
    }
}

fn positions_in_documents(documents: &[u32]) -> Vec<usize> {
    let mut start = 0;
    let position = |(column, document): (usize, &u32)| {
        if column > 0 && documents[column - 1] != *document {
            start = column;
        }
        column - start
    };
    documents.iter().enumerate().map(position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_tokens_and_not_padding() {
        let sequences: [&[u32]; 2] = [&[1, 2, 3], &[4]];
        assert_eq!(Sequences::right_padded(&sequences, 0).positions(&[0, 5]), [[0, 1, 2], [5, 5, 5]]);
        assert_eq!(Sequences::left_padded(&sequences, 0).positions(&[0, 0]), [[0, 1, 2], [0, 0, 0]]);
        assert_eq!(Sequences::right_padded(&[&[1, 2], &[3, 4]], 0).positions(&[1, 1]), [[1, 2]]);
    }

    #[test]
    fn positions_start_anew_with_each_document() {
        let packed = Sequences::packed(vec![1; 6], 6, Some(vec![3, 3, 3, 4, 4, 9]));
        assert_eq!(packed.positions(&[0]), [[0, 1, 2, 0, 1, 0]]);
    }
}
