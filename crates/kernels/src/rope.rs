//! Rotary positions.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;

use crate::host::{self, HostOp, edited, in_order, run, values};
use crate::rows::edit_rows;

/// Which dimensions of a head are rotated together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RopePairs {
    /// Dimension `i` with `i + dim / 2`.
    HalfSplit,
    /// Dimension `2i` with `2i + 1`.
    Interleaved,
}

/// Rotates the first `dim` dimensions of each head: a pair `(a, b)` becomes `(a cos - b sin, b cos + a sin)`
/// ([Su et al. 2021](https://arxiv.org/abs/2104.09864)). The tables get no gradient.
///
/// # Shapes
/// - x: `[batch, seq, heads, head_dim]`, cos and sin: `[batch or 1, seq, dim / 2]`
/// - output: `[batch, seq, heads, head_dim]`
///
/// # Panics
/// Where the tables are of another length or wider than a head.
pub fn rope(x: Tensor<4>, cos: &Tensor<3>, sin: &Tensor<3>, pairs: RopePairs) -> Tensor<4> {
    let ([_, seq, _, head_dim], [_, rows, half]) = (x.dims(), cos.dims());
    assert!(seq == rows && 2 * half <= head_dim, "tables of {rows} positions and {half} pairs do not fit {seq} tokens of {head_dim}");
    if host::takes(&x) {
        return run::ternary((x, cos.clone(), sin.clone()), Rope { pairs, backwards: false });
    }
    let rotated = rotate(x.clone().slice_dim(3, 0..2 * half), cos, sin, pairs);
    if 2 * half == head_dim { rotated } else { Tensor::cat(vec![rotated, x.slice_dim(3, 2 * half..head_dim)], 3) }
}

/// The twin of burn operations.
fn rotate(x: Tensor<4>, cos: &Tensor<3>, sin: &Tensor<3>, pairs: RopePairs) -> Tensor<4> {
    let [batch, seq, heads, dim] = x.dims();
    let (cos, sin) = (cos.clone().unsqueeze_dim::<4>(2), sin.clone().unsqueeze_dim::<4>(2));
    let turn = |a: Tensor<4>, b: Tensor<4>| [a.clone() * cos.clone() - b.clone() * sin.clone(), b * cos.clone() + a * sin.clone()];
    match pairs {
        RopePairs::HalfSplit => {
            let [a, b] = turn(x.clone().slice_dim(3, 0..dim / 2), x.slice_dim(3, dim / 2..dim));
            Tensor::cat(vec![a, b], 3)
        }
        RopePairs::Interleaved => {
            let x = x.reshape([batch, seq, heads, dim / 2, 2]);
            let [a, b] = [0, 1].map(|side| x.clone().slice_dim(4, side..side + 1).squeeze_dim::<4>(4));
            let [a, b] = turn(a, b);
            Tensor::stack::<5>(vec![a, b], 4).reshape([batch, seq, heads, dim])
        }
    }
}

/// Angles of the tokens of a ragged batch, each at its own position.
#[derive(Clone, Copy, Debug)]
pub struct Rotation<'a> {
    /// `[tokens, dim / 2]`.
    pub cos: &'a [f32],
    /// `[tokens, dim / 2]`.
    pub sin: &'a [f32],
    /// Which dimensions are rotated together.
    pub pairs: RopePairs,
}

impl<'a> Rotation<'a> {
    /// Rotates the first `dim` dimensions of each head in place, with the bits of [`rope`].
    ///
    /// # Shapes
    /// - x: `[tokens, heads, head_dim]`
    ///
    /// # Panics
    /// Where the tables are of another length, or wider than a head.
    pub fn rotate(&self, x: &mut [f32], tokens: usize, head_dim: usize) {
        self.check(tokens, head_dim);
        if x.is_empty() {
            return;
        }
        assert!(x.len().is_multiple_of(tokens.max(1) * head_dim), "{} values are no heads of {head_dim} of {tokens} tokens", x.len());
        edit_rows(
            x,
            x.len() / tokens,
            #[inline(always)]
            |token, row| row.chunks_exact_mut(head_dim).for_each(|head| self.token(token, tokens).turn(head, false)),
        );
    }

    /// # Panics
    /// Where the tables are of another length, or wider than a head.
    pub(crate) fn check(&self, tokens: usize, head_dim: usize) {
        let fits = self.cos.len() == self.sin.len() && self.cos.len().is_multiple_of(tokens.max(1)) && (tokens > 0 || self.cos.is_empty());
        let half = self.cos.len() / tokens.max(1);
        assert!(fits && 2 * half <= head_dim, "tables of {} values do not fit {tokens} tokens of {head_dim}", self.cos.len());
    }

    /// The angles of one token.
    #[inline(always)]
    pub(crate) fn token(&self, token: usize, tokens: usize) -> Angles<'a> {
        let half = self.cos.len() / tokens;
        Angles { cos: &self.cos[token * half..(token + 1) * half], sin: &self.sin[token * half..(token + 1) * half], pairs: self.pairs }
    }
}

/// The angles of one position, `[dim / 2]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Angles<'a> {
    cos: &'a [f32],
    sin: &'a [f32],
    pairs: RopePairs,
}

impl Angles<'_> {
    /// Rotates a head, or rotates it back.
    #[inline(always)]
    pub(crate) fn turn(self, head: &mut [f32], backwards: bool) {
        let direction = if backwards { -1.0 } else { 1.0 };
        let half = self.cos.len();
        match self.pairs {
            RopePairs::HalfSplit => {
                let (a, b) = head[..2 * half].split_at_mut(half);
                for (((a, b), c), s) in a.iter_mut().zip(b).zip(self.cos).zip(self.sin) {
                    let s = s * direction;
                    (*a, *b) = (*a * c - *b * s, *b * c + *a * s);
                }
            }
            RopePairs::Interleaved => {
                for ((pair, c), s) in head[..2 * half].chunks_exact_mut(2).zip(self.cos).zip(self.sin) {
                    let s = s * direction;
                    (pair[0], pair[1]) = (pair[0] * c - pair[1] * s, pair[1] * c + pair[0] * s);
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Rope {
    pairs: RopePairs,
    backwards: bool,
}

impl HostOp<3> for Rope {
    fn forward(&self, [x, cos, sin]: [FlexTensor; 3]) -> FlexTensor {
        let [cos, sin] = [cos, sin].map(in_order);
        let half = cos.shape()[2];
        let positions = values(&cos).len() / half.max(1);
        let (cos, sin) = (values(&cos), values(&sin));
        let shape = x.shape();
        let (heads, head_dim) = (shape[2], shape[3]);
        edited(x, heads * head_dim, |index, token| {
            let place = index % positions;
            let angles =
                Angles { cos: &cos[place * half..(place + 1) * half], sin: &sin[place * half..(place + 1) * half], pairs: self.pairs };
            token.chunks_exact_mut(head_dim).for_each(|head| angles.turn(head, self.backwards));
        })
    }

    fn forward_keeping(&self, inputs: [FlexTensor; 3]) -> (FlexTensor, Vec<FlexTensor>) {
        (self.forward(inputs.clone()), inputs[1..].to_vec())
    }

    /// The inverse of a rotation is its transpose: the same with the angle turned round.
    fn backward(&self, mut kept: Vec<FlexTensor>, gradient: FlexTensor, _wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let sin = kept.pop().expect("cos and sin were kept");
        let cos = kept.pop().expect("cos and sin were kept");
        let back = Self { pairs: self.pairs, backwards: !self.backwards };
        [Some(back.forward([gradient, cos, sin])), None, None]
    }
}
