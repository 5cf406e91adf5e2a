use super::stream::TokenStream;
use crate::error::Result;

/// The target of a place that the loss passes over.
pub const IGNORED_TARGET: u32 = u32::MAX;

/// Training rows of one length, row-major `[batch, seq]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// What the model reads, `[batch, seq]`.
    pub inputs: Vec<u32>,
    /// What it shall predict, `[batch, seq]`: the token after each input, or [`IGNORED_TARGET`].
    pub targets: Vec<u32>,
    /// Which document of its row each input is of, `[batch, seq]`, counted from 0 in every row; where asked for.
    pub document: Option<Vec<u32>>,
    /// Rows.
    pub batch: usize,
    /// Tokens of a row.
    pub seq: usize,
}

impl Batch {
    /// The position of each input, `[batch, seq]`: from 0 in every row, and from 0 again in every document where documents are told apart.
    pub fn positions(&self) -> Vec<u32> {
        let row = |row: usize| {
            let documents = self.document.as_ref().map(|document| &document[row * self.seq..(row + 1) * self.seq]);
            let mut position = 0;
            (0..self.seq).map(move |at| {
                let begins = at == 0 || documents.is_some_and(|documents| documents[at] != documents[at - 1]);
                position = if begins { 0 } else { position + 1 };
                position
            })
        };
        (0..self.batch).flat_map(row).collect()
    }

    /// Targets that count: those that are not [`IGNORED_TARGET`].
    pub fn target_count(&self) -> usize {
        self.targets.iter().filter(|target| **target != IGNORED_TARGET).count()
    }
}

/// How windows of the stream become rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packing {
    pub(super) seq: usize,
    /// Say which document each token is of.
    pub(super) documents: bool,
    /// Ignore the targets that are of another document than their inputs.
    pub(super) ignore_borders: bool,
}

impl Packing {
    /// A batch of the windows that begin at `starts`. A window takes `seq + 1` tokens, the last of them as a target only.
    pub(super) fn pack(self, tokens: &TokenStream, starts: impl ExactSizeIterator<Item = u64>) -> Result<Batch> {
        let (batch, seq) = (starts.len(), self.seq);
        let mut packed = Batch {
            inputs: Vec::with_capacity(batch * seq),
            targets: Vec::with_capacity(batch * seq),
            document: self.documents.then(|| Vec::with_capacity(batch * seq)),
            batch,
            seq,
        };
        let mut window = vec![0; seq + 1];
        for start in starts {
            tokens.read(start, &mut window)?;
            self.push_row(&window, tokens.ends_in(start, seq), &mut packed);
        }
        Ok(packed)
    }

    /// Appends the row of `window`, in which documents end after the numbers of tokens in `ends`.
    fn push_row(self, window: &[u32], ends: impl Iterator<Item = usize>, packed: &mut Batch) {
        let first = packed.targets.len();
        packed.inputs.extend(&window[..self.seq]);
        packed.targets.extend(&window[1..]);
        if !self.documents && !self.ignore_borders {
            return;
        }
        let (mut begin, mut document) = (0, 0);
        for end in ends {
            if self.ignore_borders {
                packed.targets[first + end - 1] = IGNORED_TARGET;
            }
            fill(packed.document.as_mut(), end - begin, document);
            (begin, document) = (end, document + 1);
        }
        fill(packed.document.as_mut(), self.seq - begin, document);
    }
}

fn fill(documents: Option<&mut Vec<u32>>, count: usize, document: u32) {
    if let Some(documents) = documents {
        documents.extend(std::iter::repeat_n(document, count));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pack(packing: Packing, documents: &[Vec<u32>], starts: Vec<u64>) -> Batch {
        packing.pack(&TokenStream::from_documents(100, documents).unwrap(), starts.into_iter()).unwrap()
    }

    #[test]
    fn a_row_with_borders_is_masked_and_counted_as_by_hand() {
        let documents = [vec![1, 2, 3], vec![4], vec![5, 6, 7, 8]];
        let packing = Packing { seq: 3, documents: true, ignore_borders: true };
        let batch = pack(packing, &documents, vec![0, 2, 4]);
        assert_eq!(batch.inputs, [1, 2, 3, 3, 4, 5, 5, 6, 7]);
        assert_eq!(batch.targets, [2, 3, IGNORED_TARGET, IGNORED_TARGET, IGNORED_TARGET, 6, 6, 7, 8]);
        assert_eq!(batch.document.as_deref(), Some([0, 0, 0, 0, 1, 2, 0, 0, 0].as_slice()));
        assert_eq!(batch.positions(), [0, 1, 2, 0, 0, 0, 0, 1, 2]);
        assert_eq!((batch.batch, batch.seq, batch.target_count()), (3, 3, 6));
    }

    #[test]
    fn a_plain_row_crosses_documents() {
        let batch = pack(Packing { seq: 3, documents: false, ignore_borders: false }, &[vec![1, 2], vec![3, 4]], vec![0]);
        assert_eq!((batch.inputs.as_slice(), batch.targets.as_slice()), ([1, 2, 3].as_slice(), [2, 3, 4].as_slice()));
        assert_eq!((batch.document.as_ref(), batch.positions()), (None, vec![0, 1, 2]));
    }

    proptest! {
        /// Against a model that knows the document of every token of the stream.
        #[test]
        fn rows_are_those_of_the_naive_model(
            documents in prop::collection::vec(prop::collection::vec(0..100_u32, 1..9), 1..12),
            seq in 1..10_usize,
            at in any::<prop::sample::Index>(),
            ignore_borders: bool,
        ) {
            let owner: Vec<usize> = documents.iter().enumerate().flat_map(|(index, tokens)| tokens.iter().map(move |_| index)).collect();
            let all = documents.concat();
            prop_assume!(all.len() > seq);
            let start = at.index(all.len() - seq);
            let batch = pack(Packing { seq, documents: true, ignore_borders }, &documents, vec![start as u64]);
            for i in 0..seq {
                let place = start + i;
                prop_assert_eq!(batch.inputs[i], all[place]);
                let crosses = owner[place] != owner[place + 1];
                prop_assert_eq!(batch.targets[i], if crosses && ignore_borders { IGNORED_TARGET } else { all[place + 1] });
                prop_assert_eq!(batch.document.as_ref().unwrap()[i] as usize, owner[place] - owner[start]);
                let begin = (start..=place).rev().take_while(|other| owner[*other] == owner[place]).last().unwrap();
                prop_assert_eq!(batch.positions()[i] as usize, place - begin);
            }
        }
    }
}
