use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

/// Token ids of several sequences, padded on the right to the longest of them.
#[derive(Clone, Debug)]
pub struct TokenBatch {
    /// `[batch, seq]`.
    pub(crate) ids: Tensor<2, Int>,
    /// `[batch, seq]`; none where every token belongs to segment 0.
    pub(crate) segments: Option<Tensor<2, Int>>,
    /// Tokens of each sequence.
    lengths: Vec<usize>,
    /// `[batch, 1, 1, seq]`, true in the padding; none where no sequence is padded.
    pub(crate) mask: Option<Tensor<4, Bool>>,
}

impl TokenBatch {
    /// A batch of `sequences` on `device`; shorter ones are filled with `pad_id`. Every token belongs to segment 0.
    ///
    /// # Panics
    /// Where there is no sequence, or an empty one.
    pub fn new(sequences: &[&[u32]], pad_id: u32, device: &Device) -> Self {
        let lengths: Vec<usize> = sequences.iter().map(|ids| ids.len()).collect();
        assert!(lengths.iter().all(|&length| length > 0), "a sequence needs at least one token");
        let seq = lengths.iter().copied().max().expect("a batch needs at least one sequence");
        let mask = lengths.iter().any(|&length| length < seq).then(|| key_mask(&lengths, seq, device));
        Self { ids: padded(sequences, seq, pad_id, device), segments: None, lengths, mask }
    }

    /// As [`new`](Self::new), with the segment (token type) of every token: 0 for the first text of a pair, 1 for the second.
    ///
    /// # Panics
    /// As [`new`](Self::new), and where a sequence has more or fewer segments than tokens.
    pub fn with_segments(sequences: &[&[u32]], segments: &[&[u32]], pad_id: u32, device: &Device) -> Self {
        let same = sequences.len() == segments.len() && sequences.iter().zip(segments).all(|(ids, segments)| ids.len() == segments.len());
        assert!(same, "each token needs its segment");
        let batch = Self::new(sequences, pad_id, device);
        let told_apart = segments.iter().copied().flatten().any(|&segment| segment > 0);
        Self { segments: told_apart.then(|| padded(segments, batch.seq(), 0, device)), ..batch }
    }

    /// Tokens of each sequence, padding not counted.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Tokens of the longest sequence.
    pub fn seq(&self) -> usize {
        self.ids.dims()[1]
    }
}

/// `[sequences, seq]`, the end of each row filled with `filler`.
fn padded(sequences: &[&[u32]], seq: usize, filler: u32, device: &Device) -> Tensor<2, Int> {
    let row = |ids: &&[u32]| ids.iter().copied().chain(std::iter::repeat(filler)).take(seq).map(|id| id as i32).collect::<Vec<_>>();
    Tensor::from_data(TensorData::new(sequences.iter().flat_map(row).collect(), [sequences.len(), seq]), device)
}

/// `[batch, 1, 1, seq]`, true in the padding.
fn key_mask(lengths: &[usize], seq: usize, device: &Device) -> Tensor<4, Bool> {
    let mask: Vec<bool> = lengths.iter().flat_map(|&length| (0..seq).map(move |key| key >= length)).collect();
    Tensor::from_data(TensorData::new(mask, [lengths.len(), 1, 1, seq]), device)
}
