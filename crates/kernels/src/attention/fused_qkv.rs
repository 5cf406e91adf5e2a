//! Attention of a sequence to itself, with query, key and value beside each other as one product gives them.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use super::WIDEST;
use crate::flash::{self, Batch, Heads, Mask, Settings, Team};
use crate::host::{self, HostOp, in_order, run, tensor, values};
use crate::packed::Pool;
use crate::softmax::padded_softmax;

/// `softmax(Q K^T) V` in each head and each of `lengths.len()` sequences of equally many rows, of which the first `lengths[i]` are tokens: keys
/// of the padding get no weight. The scale is the query's already. For inference: with a gradient it is made of burn's operations.
///
/// On the host nothing is copied: [`flash`](crate::flash) reads the parts where they stand.
///
/// # Shapes
/// - qkv: `[batch * seq, 3 * d_model]`, query, key and value side by side
/// - output: `[batch * seq, d_model]`
///
/// # Panics
/// Where `lengths` is empty or a length is beyond the sequence, or the sizes do not divide.
pub fn self_attention(qkv: Tensor<2>, heads: usize, lengths: &[usize]) -> Tensor<2> {
    let [rows, width] = qkv.dims();
    assert!(!lengths.is_empty() && rows.is_multiple_of(lengths.len()), "{rows} rows of {} sequences", lengths.len());
    assert!(heads > 0 && width.is_multiple_of(3 * heads), "{heads} heads of {width} values");
    let (batch, seq, d_model) = (lengths.len(), rows / lengths.len(), width / 3);
    assert!(lengths.iter().all(|&length| length <= seq), "lengths {lengths:?} of sequences of {seq}");
    if rows > 0 && host::takes(&qkv) && !qkv.device().is_autodiff() && d_model / heads <= WIDEST {
        return run::unary(qkv, SelfAttention { heads, lengths: lengths.into() });
    }
    let parts = qkv.reshape([batch, seq, 3, heads, d_model / heads]).permute([2, 0, 3, 1, 4]);
    let [q, k, v] = [0, 1, 2].map(|part| parts.clone().slice(part..=part).squeeze_dim::<4>(0));
    let weights = padded_softmax(q.matmul(k.swap_dims(2, 3)), lengths);
    weights.matmul(v).swap_dims(1, 2).reshape([rows, d_model])
}

/// [`self_attention`] of rows in host memory: `qkv [batch * seq, 3 * heads * head_dim]` to `out [batch * seq, heads * head_dim]`.
///
/// ```
/// // Two tokens with one head of one value, of which the second is padding: the first gets its own value.
/// let mut out = [0.0; 2];
/// jarre_kernels::attend_rows(&[1.0, 1.0, 5.0, 1.0, 1.0, 7.0], [1, 1], &[1], &mut out);
/// assert_eq!(out[0], 5.0);
/// ```
///
/// # Panics
/// Where `lengths` is empty or a length is beyond the sequence, the sizes do not fit each other, or a head is wider than 256.
pub fn attend_rows(qkv: &[f32], [heads, head_dim]: [usize; 2], lengths: &[usize], out: &mut [f32]) {
    let (batch, d_model) = (lengths.len(), heads * head_dim);
    assert!(batch > 0 && d_model > 0 && out.len().is_multiple_of(batch * d_model), "{} values of {batch} sequences", out.len());
    assert_eq!(qkv.len(), 3 * out.len(), "values of query, key and value");
    let seq = out.len() / (batch * d_model);
    assert!(lengths.iter().all(|&length| length <= seq), "lengths {lengths:?} of sequences of {seq}");
    if seq == 0 {
        return;
    }
    let starts: Vec<usize> = (0..=batch).map(|sequence| sequence * seq).collect();
    let part = |index: usize| Heads::strided(&qkv[index * d_model..], [heads, head_dim], [3 * d_model, head_dim]);
    let batch = Batch { queries: part(0), keys: part(1), values: part(2), query_starts: &starts, key_starts: &starts };
    let seen: Vec<_> = lengths.iter().map(|&length| 0..length).collect();
    let mask = Mask { seen: &seen, ..Mask::default() };
    flash::attend_batch(Team::new(Pool::global()), &batch, &mask, Settings::default(), out, None);
}

#[derive(Clone, Debug)]
struct SelfAttention {
    heads: usize,
    lengths: Arc<[usize]>,
}

impl HostOp<1> for SelfAttention {
    fn forward(&self, [qkv]: [FlexTensor; 1]) -> FlexTensor {
        let qkv = in_order(qkv);
        let [rows, width] = [qkv.shape()[0], qkv.shape()[1]];
        let d_model = width / 3;
        let mut out = vec![0.0; rows * d_model];
        attend_rows(values(&qkv), [self.heads, d_model / self.heads], &self.lengths, &mut out);
        tensor(out, [rows, d_model].into())
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 1]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs), Vec::new())
    }

    fn backward(&self, _kept: Vec<FlexTensor>, _gradient: FlexTensor, _wanted: [bool; 1]) -> [Option<FlexTensor>; 1] {
        unreachable!("inputs with a gradient take the other way")
    }
}
