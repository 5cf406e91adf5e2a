//! `perplexity`: how well a model predicts texts.

use anyhow::{Context, Result, ensure};
use jarre_transformer::corpus::{DocumentSource, Progress, Split};
use jarre_transformer::generate::{CausalLm, perplexity};
use serde::Serialize;

use crate::args::PerplexityArgs;
use crate::model::Opened;
use crate::progress::CorpusBar;

/// The most tokens that are read at a time unless --context says otherwise.
const LONGEST_CONTEXT: usize = 1024;

/// Two-sided 95 % of the normal distribution.
pub(crate) const Z_95: f64 = 1.959_964;

#[derive(Serialize)]
struct Measured {
    perplexity: f64,
    /// 95 % interval; documents are what was drawn.
    interval: [f64; 2],
    nats_per_token: f64,
    bits_per_byte: f64,
    documents: usize,
    tokens: usize,
    context: usize,
    stride: usize,
}

pub(crate) fn run(args: &PerplexityArgs) -> Result<()> {
    let opened = Opened::open(&args.model)?;
    let context = args.context.unwrap_or_else(|| opened.model.max_positions().min(LONGEST_CONTEXT));
    let stride = args.stride.unwrap_or((context / 2).max(1));
    let split = args.validation.map(Split::by_document).transpose()?;
    let (mut scores, mut bytes) = (Vec::new(), 0);
    let mut documents = DocumentSource::new(&args.text).documents()?;
    let bar = CorpusBar::new();
    while let Some(document) = documents.next() {
        let text = document.context("a document cannot be read")?.text;
        let text = split.as_ref().map_or(text.as_str(), |split| split.parts(&text).validation);
        let ids = opened.prompt(text)?;
        if ids.len() < 2 {
            continue;
        }
        let score = perplexity(&opened.model, &ids, context, stride)?;
        scores.push(Score { nats: score.mean_nll * score.tokens as f64, tokens: score.tokens as f64 });
        bytes += text.len();
        bar.show(Progress::Tokenizing {
            documents: scores.len() as u64,
            tokens: scores.iter().map(|score| score.tokens as u64).sum(),
            read_bytes: documents.read_bytes(),
            total_bytes: documents.total_bytes(),
        });
    }
    drop(bar);
    ensure!(!scores.is_empty(), "no document has two tokens: name texts with --text, or leave out --validation");
    let (mean, error) = mean_over_documents(&scores);
    let tokens: f64 = scores.iter().map(|score| score.tokens).sum();
    let measured = Measured {
        perplexity: mean.exp(),
        interval: [-Z_95, Z_95].map(|z| (mean + z * error).exp()),
        nats_per_token: mean,
        bits_per_byte: mean * tokens / std::f64::consts::LN_2 / bytes as f64,
        documents: scores.len(),
        tokens: tokens as usize,
        context,
        stride,
    };
    print(&measured, args.json)
}

/// The loss of a document.
pub(crate) struct Score {
    pub(crate) nats: f64,
    pub(crate) tokens: f64,
}

/// Nats a token over all documents, and its standard error: that of a ratio of sums over clusters
/// ([Cochran 1977](https://archive.org/details/samplingtechniqu0000coch), section 6.3). Infinite for one document.
pub(crate) fn mean_over_documents(scores: &[Score]) -> (f64, f64) {
    let count = scores.len() as f64;
    let tokens: f64 = scores.iter().map(|score| score.tokens).sum();
    let mean = scores.iter().map(|score| score.nats).sum::<f64>() / tokens;
    let squares: f64 = scores.iter().map(|score| (score.nats - mean * score.tokens).powi(2)).sum();
    let error = if scores.len() > 1 { (squares * count / (count - 1.0)).sqrt() / tokens } else { f64::INFINITY };
    (mean, error)
}

fn print(measured: &Measured, json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string(measured)?);
        return Ok(());
    }
    let [low, high] = measured.interval;
    println!("perplexity {:.2} [{low:.2}, {high:.2}], {:.4} nats a token", measured.perplexity, measured.nats_per_token);
    println!("{:.4} bits a byte", measured.bits_per_byte);
    let Measured { documents, tokens, context, stride, .. } = measured;
    println!("{documents} documents, {tokens} tokens, context {context}, stride {stride}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_one_loss_leave_no_doubt_and_others_do() {
        let (mean, error) = mean_over_documents(&[Score { nats: 20.0, tokens: 10.0 }, Score { nats: 60.0, tokens: 30.0 }]);
        assert!((mean - 2.0).abs() < 1e-12 && error.abs() < 1e-12, "{mean} {error}");
        // By hand: residuals -5 and 5, so sqrt(50 * 2 / 1) / 40.
        let (mean, error) = mean_over_documents(&[Score { nats: 20.0, tokens: 10.0 }, Score { nats: 80.0, tokens: 30.0 }]);
        assert!((mean - 2.5).abs() < 1e-12 && (error - 0.25).abs() < 1e-12, "{mean} {error}");
    }
}
