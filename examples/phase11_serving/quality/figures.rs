//! Figures of one precision, with intervals over prompts.

use anyhow::Result;
use jarre_eval::stats::{Bootstrap, MeanEstimate};
use serde::Serialize;

use super::teacher::Token;

/// A figure and its 95 % interval.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// How a model's expectations differ from the reference's.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    pub(super) prompts: usize,
    pub(super) tokens: usize,
    pub(super) perplexity: Estimate,
    /// Mean nats of a token more than the reference needs; the same prompts are compared.
    pub(super) nats_difference: Estimate,
    /// Mean `KL(reference || this)` of a token, in nats.
    pub(super) divergence: Estimate,
    /// The divergence that 99 % of tokens do not pass.
    pub(super) divergence_p99: f64,
    /// Share of tokens where both have the same one on top.
    pub(super) agreement: f64,
}

impl Figures {
    /// What was seen of each prompt, all of the same number of tokens.
    pub(super) fn of(prompts: &[Vec<Token>]) -> Result<Self> {
        let tokens: Vec<Token> = prompts.iter().flatten().copied().collect();
        let means = |of: fn(&Token) -> f64| prompts.iter().map(|tokens| mean(tokens.iter().map(of))).collect::<Vec<f64>>();
        let bootstrap = Bootstrap::default();
        let (reference, own) = (means(|token| token.nats[0]), means(|token| token.nats[1]));
        let mut divergences: Vec<f64> = tokens.iter().map(|token| token.divergence).collect();
        divergences.sort_by(f64::total_cmp);
        Ok(Self {
            prompts: prompts.len(),
            tokens: tokens.len(),
            perplexity: Estimate::from(bootstrap.mean(&own)?).map(f64::exp),
            nats_difference: bootstrap.paired_difference(&reference, &own)?.difference.into(),
            divergence: bootstrap.mean(&means(|token| token.divergence))?.into(),
            divergence_p99: quantile(&divergences, 0.99),
            agreement: mean(tokens.iter().map(|token| f64::from(u8::from(token.agrees)))),
        })
    }
}

impl Estimate {
    /// The same through a function that ascends.
    pub(super) fn map(self, of: impl Fn(f64) -> f64) -> Self {
        Self { value: of(self.value), low: of(self.low), high: of(self.high) }
    }
}

impl From<MeanEstimate> for Estimate {
    fn from(mean: MeanEstimate) -> Self {
        Self { value: mean.mean, low: mean.bca.low, high: mean.bca.high }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len();
    values.sum::<f64>() / count as f64
}

/// The least of sorted values that this share of them do not pass.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(reference: f64, own: f64, divergence: f64, agrees: bool) -> Token {
        Token { nats: [reference, own], divergence, agrees }
    }

    #[test]
    fn figures_are_those_made_by_hand() {
        let prompts: Vec<Vec<Token>> = (0..60)
            .map(|i| vec![token(1.0, 1.5, 0.1, true), token(3.0 + f64::from(i % 3), 3.5 + f64::from(i % 3), 0.3, i % 2 == 0)])
            .collect();
        let figures = Figures::of(&prompts).unwrap();
        assert_eq!((figures.prompts, figures.tokens), (60, 120));
        assert!((figures.perplexity.value - 3.0_f64.exp()).abs() < 1e-9);
        assert!(figures.perplexity.low < figures.perplexity.value && figures.perplexity.value < figures.perplexity.high);
        // Every prompt loses the same, so that the paired interval has no width although prompts differ.
        let Estimate { value, low, high } = figures.nats_difference;
        assert!((value - 0.5).abs() < 1e-9 && (low - 0.5).abs() < 1e-9 && (high - 0.5).abs() < 1e-9);
        assert!((figures.divergence.value - 0.2).abs() < 1e-9 && (figures.divergence_p99 - 0.3).abs() < 1e-12);
        assert!((figures.agreement - 0.75).abs() < 1e-12);
    }

    #[test]
    fn quantiles_are_ranks() {
        let values: Vec<f64> = (1..=200).map(f64::from).collect();
        assert!((quantile(&values, 0.99) - 198.0).abs() < 1e-12);
        assert!((quantile(&values[..3], 0.99) - 3.0).abs() < 1e-12);
        assert!((quantile(&values[..3], 0.0) - 1.0).abs() < 1e-12);
    }
}
