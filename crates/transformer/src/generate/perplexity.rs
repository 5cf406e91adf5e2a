use serde::{Deserialize, Serialize};

use super::CausalLm;
use super::log_softmax::LogSoftmax;
use super::model::{readable, rows};
use super::setting::within;
use crate::error::{Error, Result};

/// How surprised a model is by a text, and how it was measured: two perplexities compare only where context, stride and tokens do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Perplexity {
    /// e to the power of `mean_nll`.
    pub value: f64,
    /// Mean negative log-likelihood of a token, in nats; infinite where the model rules a token out.
    pub mean_nll: f64,
    /// Tokens that were scored: all but the first.
    pub tokens: usize,
    /// Tokens that the model reads at a time.
    pub context: usize,
    /// How far one reading lies behind the one before.
    pub stride: usize,
}

/// Strided perplexity of a text.
///
/// Readings of `context` tokens start `stride` tokens apart, and each scores the tokens that none before has scored. So every token but the
/// first is scored once: those of the first reading after what precedes them, the others after at least `context - stride + 1` and at most
/// `context` tokens. The model reads about `context / stride` times as many tokens as the text has. Sums are in `f64`.
///
/// # Errors
/// - [`Error::TooFewTokens`] for less than two tokens, [`Error::UnknownToken`] for one beyond the vocabulary;
/// - [`Error::ContextLength`] where `context` is beyond the model's, [`Error::InvalidSetting`] where it is 0 or the stride is not in
///   `1..=context`;
/// - [`Error::Logits`] where the model gives NaN, and what the model fails with.
pub fn perplexity<M: CausalLm + ?Sized>(model: &M, tokens: &[u32], context: usize, stride: usize) -> Result<Perplexity> {
    let context = within("context", context, 1.., "at least 1")?;
    let stride = within("stride", stride, 1..=context, "at least 1 and at most `context`")?;
    if context > model.max_positions() {
        return Err(Error::ContextLength { tokens: context, max: model.max_positions() });
    }
    if tokens.len() < 2 {
        return Err(Error::TooFewTokens { what: "a text", found: tokens.len(), least: 2 });
    }
    readable(tokens, "a text", model.vocab_size(), usize::MAX)?;
    let (mut sum, mut scored) = (0.0, 0);
    for start in (0..).step_by(stride) {
        let read = &tokens[start..tokens.len().min(start + context + 1) - 1];
        let targets = &tokens[start + 1..=start + read.len()];
        // `scored` targets precede; those are tokens 1 to `scored` of the text.
        sum += nll(model, read, targets, scored - start)?;
        scored = start + read.len();
        if scored + 1 == tokens.len() {
            break;
        }
    }
    let mean_nll = sum / scored as f64;
    Ok(Perplexity { value: mean_nll.exp(), mean_nll, tokens: scored, context, stride })
}

/// Negative log-likelihood of `targets`, each standing behind the token of `read` at its place, the first `skip` of them left out.
fn nll<M: CausalLm + ?Sized>(model: &M, read: &[u32], targets: &[u32], skip: usize) -> Result<f64> {
    let logits = model.all_logits(read)?;
    let scored = rows(&logits, read.len(), model.vocab_size())?.zip(targets).skip(skip);
    scored.map(|(row, &target)| Ok(-LogSoftmax::new(row)?.of(target))).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::generate::toy::Toy;

    /// A model that gives every token the probability 1 / (1 + tokens before it), and spreads the rest.
    fn by_context() -> Toy {
        let p = |context: usize| 1.0 / (1.0 + context as f32);
        Toy::new(2, move |tokens| vec![p(tokens.len()).ln(), (1.0 - p(tokens.len())).ln()])
    }

    /// The mean of ln(1 + context) over the contexts in which tokens ought to be scored.
    fn expected(contexts: &[usize]) -> f64 {
        contexts.iter().map(|&context| (1.0 + context as f64).ln()).sum::<f64>() / contexts.len() as f64
    }

    #[test]
    fn a_uniform_model_is_as_perplexed_as_its_vocabulary_is_large() {
        let measured = perplexity(&Toy::new(7, |_| vec![3.0; 7]), &[0, 3, 6, 1, 1, 2], 3, 2).unwrap();
        assert!((measured.value - 7.0).abs() < 1e-6);
        assert_eq!((measured.tokens, measured.context, measured.stride), (5, 3, 2));
    }

    #[test]
    fn each_token_has_the_context_of_its_reading() {
        let nll = |len: usize, context, stride| perplexity(&by_context(), &vec![0; len], context, stride).unwrap().mean_nll;
        for (len, context, stride, contexts) in [
            (6, 9, 9, vec![1, 2, 3, 4, 5]),
            (6, 5, 5, vec![1, 2, 3, 4, 5]),
            (8, 3, 3, vec![1, 2, 3, 1, 2, 3, 1]),
            (8, 3, 1, vec![1, 2, 3, 3, 3, 3, 3]),
            (9, 4, 2, vec![1, 2, 3, 4, 3, 4, 3, 4]),
            (10, 4, 3, vec![1, 2, 3, 4, 2, 3, 4, 2, 3]),
            (2, 1, 1, vec![1]),
        ] {
            assert!((nll(len, context, stride) - expected(&contexts)).abs() < 1e-6, "{len} {context} {stride}");
        }
    }

    #[test]
    fn a_token_that_is_ruled_out_is_an_infinite_surprise() {
        let model = Toy::new(2, |_| vec![0.0, f32::NEG_INFINITY]);
        assert!(perplexity(&model, &[0, 0, 1], 4, 4).unwrap().value.is_infinite());
        assert!((perplexity(&model, &[0, 0, 0], 4, 4).unwrap().value - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let model = Toy::hashed(4, 0).with_max_positions(8);
        let message = |tokens: &[u32], context, stride| perplexity(&model, tokens, context, stride).unwrap_err().to_string();
        assert_eq!(message(&[], 4, 2), "a text has 0 tokens and needs at least 2");
        assert_eq!(message(&[1], 4, 2), "a text has 1 tokens and needs at least 2");
        assert!(message(&[1, 4], 4, 2).starts_with("token 4 is beyond"));
        assert!(message(&[1, 2], 9, 2).starts_with("9 tokens are more than the model's context of 8"));
        assert!(message(&[1, 2], 0, 1).starts_with("context is 0"));
        assert!(message(&[1, 2], 4, 0).starts_with("stride is 0"));
        assert!(message(&[1, 2], 4, 5).starts_with("stride is 5"));
        assert!(perplexity(&Toy::new(2, |_| vec![0.0, f32::NAN]), &[0, 0], 2, 2).unwrap_err().to_string().contains("NaN"));
    }

    proptest! {
        /// A Markov chain needs one token of context, so that windows make no difference: the chain rule gives the value.
        #[test]
        fn a_markov_chain_has_the_perplexity_of_the_chain_rule(
            tokens in prop::collection::vec(0_u32..5, 2..40),
            table in prop::collection::vec(prop::collection::vec(-4.0_f32..4.0, 5), 5),
            context in 1_usize..50,
            stride in 1_usize..50,
        ) {
            let nll: f64 = tokens.windows(2).map(|pair| {
                let row = &table[pair[0] as usize];
                row.iter().map(|&logit| f64::from(logit).exp()).sum::<f64>().ln() - f64::from(row[pair[1] as usize])
            }).sum();
            let measured = perplexity(&Toy::markov(table), &tokens, context, stride.min(context)).unwrap();
            prop_assert_eq!(measured.tokens, tokens.len() - 1);
            prop_assert!((measured.mean_nll - nll / (tokens.len() - 1) as f64).abs() < 1e-5);
            prop_assert!((measured.value.ln() - measured.mean_nll).abs() < 1e-12);
        }
    }
}
