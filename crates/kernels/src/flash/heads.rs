//! Rows of heads, wherever they stand in a slice.

/// Vectors of `width` values, one for each head of each token: `[tokens, heads, width]` with any distances between tokens and heads, so that
/// queries, keys and values can be parts of one fused matrix.
#[derive(Clone, Copy, Debug)]
pub struct Heads<'a, T = f32> {
    values: &'a [T],
    pub(super) count: usize,
    pub(super) width: usize,
    pub(super) token_stride: usize,
    pub(super) head_stride: usize,
}

impl<'a, T> Heads<'a, T> {
    /// Heads beside each other, tokens one after another: `values [tokens, heads, width]`.
    pub fn dense(values: &'a [T], heads: usize, width: usize) -> Self {
        Self::strided(values, [heads, width], [heads * width, width])
    }

    /// Value `i` of head `h` of token `t` stands at `t * token_stride + h * head_stride + i` of `values`.
    pub fn strided(values: &'a [T], [heads, width]: [usize; 2], [token_stride, head_stride]: [usize; 2]) -> Self {
        Self { values, count: heads, width, token_stride, head_stride }
    }

    /// The vectors of one head from token `first` on; nothing where there is no such token.
    pub(super) fn head(&self, first: usize, head: usize) -> &'a [T] {
        self.values.get(first * self.token_stride + head * self.head_stride..).unwrap_or_default()
    }

    /// The vector of one head of one token.
    ///
    /// # Panics
    /// Where the slice ends before it.
    pub(super) fn row(&self, token: usize, head: usize) -> &'a [T] {
        &self.head(token, head)[..self.width]
    }

    /// Whether the slice holds `tokens` tokens.
    pub(super) fn holds(&self, tokens: usize) -> bool {
        tokens == 0
            || self.count == 0
            || (tokens - 1) * self.token_stride + (self.count - 1) * self.head_stride + self.width <= self.values.len()
    }
}
