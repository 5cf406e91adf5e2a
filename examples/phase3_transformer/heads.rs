//! What an attention head does, in figures.

use serde::Serialize;

/// Figures of one head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct HeadScores {
    /// Mean entropy of a token's weights over the entropy of equal weights: 0 looks at one token, 1 at all alike.
    pub(crate) entropy: f64,
    /// Mean distance to what is attended to, in tokens.
    pub(crate) distance: f64,
    /// Mean weight of the token before.
    pub(crate) previous: f64,
    /// Mean weight of the first token: a place for attention that is not needed.
    pub(crate) sink: f64,
    /// On tokens that repeat: mean weight of the token after the earlier occurrence (Olsson et al. 2022, arXiv 2209.11895).
    pub(crate) induction: f64,
}

impl HeadScores {
    /// Figures of `weights [seq, seq]` over a text; induction is left at zero.
    pub(crate) fn of(weights: &[f32], seq: usize) -> Self {
        let mut scores = Self::default();
        let rows = (1..seq).map(|i| &weights[i * seq..=i * seq + i]);
        for (i, row) in (1..seq).zip(rows) {
            let entropy: f64 = row.iter().filter(|w| **w > 0.0).map(|&w| -f64::from(w) * f64::from(w).ln()).sum();
            scores.entropy += entropy / ((i + 1) as f64).ln();
            scores.distance += row.iter().enumerate().map(|(j, &w)| f64::from(w) * (i - j) as f64).sum::<f64>();
            scores.previous += f64::from(row[i - 1]);
            scores.sink += f64::from(row[0]);
        }
        let count = (seq.max(2) - 1) as f64;
        for value in [&mut scores.entropy, &mut scores.distance, &mut scores.previous, &mut scores.sink] {
            *value /= count;
        }
        scores
    }

    /// The induction score of `weights [2 period, 2 period]` over a text that is the same `period` tokens twice.
    pub(crate) fn induction(weights: &[f32], period: usize) -> f64 {
        let seq = 2 * period;
        let after_earlier = |i: usize| f64::from(weights[i * seq + i - period + 1]);
        (period..seq).map(after_earlier).sum::<f64>() / period as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_looks_back_by_one_is_found() {
        let seq = 5;
        let mut weights = vec![0.0; seq * seq];
        weights[0] = 1.0;
        (1..seq).for_each(|i| weights[i * seq + i - 1] = 1.0);
        let scores = HeadScores::of(&weights, seq);
        assert_eq!((scores.previous, scores.distance, scores.entropy, scores.sink), (1.0, 1.0, 0.0, 0.25));
    }

    #[test]
    fn equal_weights_have_entropy_one() {
        let seq = 4;
        let weights: Vec<f32> = (0..seq).flat_map(|i| (0..seq).map(move |j| if j <= i { 1.0 / (i + 1) as f32 } else { 0.0 })).collect();
        assert!((HeadScores::of(&weights, seq).entropy - 1.0).abs() < 1e-6);
    }

    #[test]
    fn induction_looks_at_the_token_after_the_earlier_occurrence() {
        let (period, seq) = (3, 6);
        let mut weights = vec![0.0; seq * seq];
        (period..seq).for_each(|i| weights[i * seq + i - period + 1] = 0.5);
        assert_eq!(HeadScores::induction(&weights, period), 0.5);
    }
}
