use std::{
    fmt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jarre_transformer::{
    BertClassifier, Device, TokenBatch, Tokenizer,
    train::{ClassifierTrainer, ClassifierTrainerConfig, Schedule, batches_by_length},
};

use super::{interrupt::Interrupt, labelled::Text};

/// Texts that are judged together.
const BATCH: usize = 16;

// How an encoder learns. What is usual for small encoders (Turc and others 2019, `arXiv:1908.08962`) holds where nothing else is said, the
// rate rising over the first tenth of the steps and falling evenly to 0 (Devlin and others 2018).
#[derive(Args, Clone, Debug)]
pub(crate) struct Recipe {
    /// The encoder: a folder of the Hugging Face layout; the small one of this repository where it is not given.
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/all-minilm-l6-v2-int8"))]
    pub(crate) encoder: PathBuf,
    /// How often each text is learnt from.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) epochs: u64,
    /// Texts of a step.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) batch: u64,
    /// The highest learning rate.
    #[arg(long, default_value_t = 1e-4)]
    pub(crate) rate: f64,
    /// Tokens of a text that are read.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u64).range(3..=1_000_000))]
    pub(crate) max_tokens: u64,
    /// The share of the pooled state that a step leaves out.
    #[arg(long, default_value_t = 0.1)]
    pub(crate) dropout: f64,
    /// Draws the head, the order of the texts and dropout.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

/// A model, and what it took.
pub(crate) struct Learnt<'a> {
    model: BertClassifier,
    tokenizer: Tokenizer,
    recipe: &'a Recipe,
    labels: &'a [String],
    pub(crate) steps: u64,
    /// Mean over the last epoch, in nats a label.
    pub(crate) loss: f64,
    pub(crate) seconds: f64,
}

impl Recipe {
    /// A model that has learnt from those of `texts` of which any label is known.
    pub(crate) fn learn<'a>(&'a self, labels: &'a [String], texts: &[&Text], name: &str, interrupt: &Interrupt) -> Result<Learnt<'a>> {
        let device = Device::flex();
        let texts: Vec<&Text> = texts.iter().copied().filter(|text| text.targets.iter().any(Option::is_some)).collect();
        if texts.is_empty() {
            bail!("{name}: there is no text to learn from");
        }
        let model = BertClassifier::from_encoder(&self.encoder, &priors(&texts, labels.len()), self.seed, &device)
            .with_context(|| format!("the encoder in {} cannot be used", self.encoder.display()))?;
        let max_tokens = model.bert().max_tokens().min(self.max_tokens as usize);
        let tokenizer = Tokenizer::from_file(self.encoder.join("tokenizer.json"), max_tokens)?;
        let tokens = texts.iter().map(|text| tokenizer.encode(&text.text)).collect::<Result<Vec<_>, _>>()?;
        let config = ClassifierTrainerConfig { dropout: self.dropout, seed: self.seed, ..ClassifierTrainerConfig::default() };
        let mut trainer = ClassifierTrainer::new(model, config, &device)?;
        let (started, mut loss) = (Instant::now(), 0.0);
        let steps = texts.len().div_ceil(self.batch as usize) as u64 * self.epochs;
        let schedule = Schedule::linear(self.rate, 0.0, steps / 10, steps)?;
        let bar = bar(steps);
        for epoch in 0..self.epochs {
            loss = self.epoch(&mut trainer, (&texts, &tokens), epoch, |trainer, loss| {
                let loss = loss.map(|loss| format!(", loss {loss:.3}")).unwrap_or_default();
                bar.set_message(format!("{name}, epoch {}{loss}", epoch + 1));
                bar.set_position(trainer.steps());
                interrupt.check()?;
                Ok(schedule.lr(trainer.steps()))
            })?;
            let seconds = started.elapsed().as_secs_f64();
            bar.suspend(|| eprintln!("{name}, epoch {} of {}: loss {loss:.4}, {seconds:.0} s", epoch + 1, self.epochs));
        }
        bar.finish_and_clear();
        Ok(Learnt {
            model: trainer.model(),
            tokenizer,
            recipe: self,
            labels,
            steps: trainer.steps(),
            loss,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// The mean loss over an epoch. Before each step `watch` gets the loss of the last one, and gives the rate.
    fn epoch(
        &self,
        trainer: &mut ClassifierTrainer,
        (texts, tokens): (&[&Text], &[Vec<u32>]),
        epoch: u64,
        mut watch: impl FnMut(&ClassifierTrainer, Option<f64>) -> Result<f64>,
    ) -> Result<f64> {
        let lengths: Vec<usize> = tokens.iter().map(Vec::len).collect();
        let (mut sum, mut labels, mut last) = (0.0, 0, None);
        for batch in batches_by_length(&lengths, self.batch as usize, self.seed, epoch) {
            let rate = watch(trainer, last)?;
            let sequences: Vec<&[u32]> = batch.iter().map(|&index| tokens[index].as_slice()).collect();
            let targets: Vec<&[Option<bool>]> = batch.iter().map(|&index| texts[index].targets.as_slice()).collect();
            let step = trainer.step(&sequences, &targets, rate)?;
            last = Some(step.loss);
            sum += step.loss * step.labels as f64;
            labels += step.labels;
        }
        Ok(sum / labels as f64)
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { encoder, epochs, batch, rate, max_tokens, dropout, seed } = self;
        let encoder = encoder.file_name().unwrap_or(encoder.as_os_str()).to_string_lossy();
        write!(f, "{encoder}, epochs {epochs}, batch {batch}, rate {rate}, tokens {max_tokens}, dropout {dropout}, seed {seed}")
    }
}

impl Learnt<'_> {
    /// The probability of each label, a row a text.
    pub(crate) fn judge(&self, texts: &[&Text]) -> Result<Vec<Vec<f32>>> {
        let tokens = texts.iter().map(|text| self.tokenizer.encode(&text.text)).collect::<Result<Vec<_>, _>>()?;
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&index| tokens[index].len());
        let mut rows = vec![Vec::new(); texts.len()];
        for batch in order.chunks(BATCH) {
            let sequences: Vec<&[u32]> = batch.iter().map(|&index| tokens[index].as_slice()).collect();
            let logits = self.model.forward(&TokenBatch::new(&sequences, 0, &Device::flex()));
            let logits = logits.try_into_vec_as::<f32>().map_err(|error| anyhow::anyhow!("the device failed: {error:?}"))?;
            for (&index, logits) in batch.iter().zip(logits.chunks_exact(self.labels.len())) {
                rows[index] = logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect();
            }
        }
        Ok(rows)
    }

    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let labels: Vec<&str> = self.labels.iter().map(String::as_str).collect();
        Ok(self.model.save_multi_label(&self.recipe.encoder, &labels, self.tokenizer.max_tokens(), folder)?)
    }
}

/// The share of texts that each label fits, drawn a little to the middle, so that it is neither 0 nor 1.
fn priors(texts: &[&Text], labels: usize) -> Vec<f64> {
    let share = |label: usize| {
        let said: Vec<bool> = texts.iter().filter_map(|text| text.targets[label]).collect();
        (said.iter().filter(|fits| **fits).count() as f64 + 0.5) / (said.len() as f64 + 1.0)
    };
    (0..labels).map(share).collect()
}

fn bar(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len} steps, {elapsed}, {eta} left");
    let bar = ProgressBar::new(steps).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
