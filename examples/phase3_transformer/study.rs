//! Short trainings that are compared with each other.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use jarre_report::Table;
use jarre_transformer::corpus::{BatchConfig, BatchSource, Corpus, Order};
use jarre_transformer::train::{AdamWConfig, Schedule, Trainer, TrainerConfig};
use jarre_transformer::{DecoderConfig, Device};

use crate::INTERRUPTED;
use crate::args::StudyArgs;
use crate::interrupt::Interrupt;
use crate::progress::StepBar;
use crate::run::Run;

/// Rows of a training batch.
const BATCH: usize = 12;

/// Batches of a validation.
pub(crate) const EVAL_BATCHES: u64 = 40;

pub(crate) struct Study<'a> {
    pub(crate) args: &'a StudyArgs,
    pub(crate) corpus: Corpus,
    interrupt: Interrupt,
}

impl<'a> Study<'a> {
    pub(crate) fn new(args: &'a StudyArgs) -> Result<Self> {
        std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
        Ok(Self { args, corpus: crate::corpus::prepare(&args.corpus, &args.out)?, interrupt: Interrupt::install()? })
    }

    /// A model of this description after all steps; nothing where it was interrupted.
    pub(crate) fn fit(&self, label: &str, config: &DecoderConfig) -> Result<Option<Trainer>> {
        let device = Device::default();
        device.seed(self.args.seed);
        let settings = TrainerConfig {
            optimizer: AdamWConfig { beta_2: 0.99, ..AdamWConfig::default() },
            seed: self.args.seed,
            ..TrainerConfig::default()
        };
        let batches = self.batches(self.corpus.train(), self.args.context, BATCH, Order::RandomWindows)?;
        let schedule = Schedule::cosine(1e-3, 1e-4, 100.min(self.args.steps - 1), self.args.steps)?;
        let bar = StepBar::new(&format!("{label}: "), self.args.steps, 0);
        let mut run = Run::new(Trainer::new(config.init(&device), settings), &batches, &schedule, 1);
        while run.trainer.steps() < self.args.steps {
            if self.interrupt.raised() {
                return Ok(None);
            }
            let (report, rate) = run.step(None)?;
            bar.show(&report, rate);
        }
        Ok(Some(run.trainer))
    }

    /// Validation rows of `seq` tokens, about as many tokens a batch for every length; nothing where the text is too short for one.
    pub(crate) fn validation(&self, seq: usize) -> Result<Option<BatchSource>> {
        let rows = (BATCH * self.args.context / seq).max(1);
        if self.corpus.validation().len() <= (rows * seq) as u64 {
            return Ok(None);
        }
        self.batches(self.corpus.validation(), seq, rows, Order::Sequential).map(Some)
    }

    /// Prints the table and keeps it as Markdown and JSON; the exit code.
    pub(crate) fn report(&self, name: &str, table: &Table, complete: bool) -> Result<ExitCode> {
        write(&self.args.out.join(format!("{name}.md")), &table.to_markdown())?;
        write(&self.args.out.join(format!("{name}.json")), &table.to_json())?;
        println!("{}", if self.args.json { table.to_json() } else { table.to_plain_text() });
        if !complete {
            eprintln!("interrupted: the table holds what was finished");
        }
        Ok(ExitCode::from(if complete { 0 } else { INTERRUPTED }))
    }

    fn batches(
        &self,
        tokens: &std::sync::Arc<jarre_transformer::corpus::TokenStream>,
        seq: usize,
        rows: usize,
        order: Order,
    ) -> Result<BatchSource> {
        Ok(BatchConfig::new(rows, seq).with_order(order).with_seed(self.args.seed).init(tokens.clone())?)
    }
}

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
