//! Results over different keys, joined to those over all of them.

/// Attention over some keys.
#[derive(Clone, Copy, Debug)]
pub struct Partial<'a> {
    /// Results, `[rows, width]`.
    pub out: &'a [f32],
    /// Logarithms of the sums of powers of e of scores, `[rows]`; minus infinity where no key was seen.
    pub log_sums: &'a [f32],
}

/// Attention over disjoint sets of keys, joined: with `L = ln(sum of e^L_i)` the result is the sum of `e^(L_i - L) out_i`. Writes results
/// `out [rows, width]` and `L` `log_sums [rows]`; rows without a key get zeros and minus infinity.
///
/// What `out` and `log_sums` get depends on the order of `partials` in its last bits. ([`ragged_attention`](super::ragged_attention) merges
/// its own spans, and its results need this only across caches, as with a prefix that many sequences share.)
///
/// # Panics
/// Where the sizes do not fit each other.
pub fn merge_partials(partials: &[Partial<'_>], out: &mut [f32], log_sums: &mut [f32]) {
    let rows = log_sums.len();
    let width = out.len().checked_div(rows).unwrap_or(0);
    assert_eq!(out.len(), rows * width, "results of {rows} rows");
    for Partial { out, log_sums } in partials {
        assert_eq!([out.len(), log_sums.len()], [rows * width, rows], "results of {rows} rows of {width}, and their logarithms");
    }
    for (row, log_sum) in log_sums.iter_mut().enumerate() {
        let out = &mut out[row * width..(row + 1) * width];
        out.fill(0.0);
        let largest = partials.iter().fold(f32::NEG_INFINITY, |largest, partial| largest.max(partial.log_sums[row]));
        // Minus infinity less itself would be no number.
        let seen = partials.iter().filter(|partial| partial.log_sums[row] != f32::NEG_INFINITY);
        let total: f32 = seen.clone().map(|partial| (partial.log_sums[row] - largest).exp()).sum();
        *log_sum = largest + total.ln();
        for partial in seen {
            let weight = (partial.log_sums[row] - largest).exp() / total;
            out.iter_mut().zip(&partial.out[row * width..]).for_each(|(out, x)| *out += weight * x);
        }
    }
}
