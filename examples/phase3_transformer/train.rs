//! `train`: one model, with checkpoints, curves and a folder at the end that other tools load.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use jarre_core::MetricSink;
use jarre_report::{LineChart, Series};
use jarre_transformer::collective::Communicator;
use jarre_transformer::corpus::{BatchConfig, BatchSource, Corpus, Order};
use jarre_transformer::train::{
    AdamWConfig, CheckpointStore, DecayCurve, DecoderFlops, EarlyStopping, Metrics, MetricsLog, Schedule, StepReport, Trainer,
    TrainerConfig, Verdict,
};
use jarre_transformer::{Activation, CausalModel, DecoderConfig, Device, NormKind, Positions, Precision, Tokenizer};
use serde::Serialize;
use serde_json::json;

use crate::INTERRUPTED;
use crate::args::{FamilyArg, PrecisionArg, ScheduleArg, ShapeArgs, TrainArgs};
use crate::corpus::{END, prepare};
use crate::interrupt::Interrupt;
use crate::peak;
use crate::progress::StepBar;
use crate::run::{Run, validate};
use crate::workers::Crew;

/// What is printed at the end.
#[derive(Debug, Default, Serialize)]
struct Summary {
    parameters: usize,
    vocab_size: usize,
    train_tokens: u64,
    validation_tokens: u64,
    steps: u64,
    train_loss: Option<f64>,
    validation_loss: Option<f64>,
    validation_perplexity: Option<f64>,
    tokens_per_second: f64,
    gflops: f64,
    /// Share of the rate of one large matrix product, measured here before the first step.
    mfu: Option<f64>,
    workers: u16,
    /// Share of the time that this worker waited for the others.
    waited: Option<f64>,
    interrupted: bool,
}

pub(crate) fn run(args: &TrainArgs) -> Result<ExitCode> {
    ensure!(args.batch.is_multiple_of(usize::from(args.workers)), "--batch {} is not a multiple of --workers {}", args.batch, args.workers);
    if let (Some(rank), Some(rendezvous)) = (args.rank, args.rendezvous) {
        Interrupt::ignore()?;
        let mut ring = Crew::join(rank, usize::from(args.workers), rendezvous)?;
        return follow(args, rank, &mut ring);
    }
    lead(args)
}

/// The worker that writes, validates and decides when to stop.
fn lead(args: &TrainArgs) -> Result<ExitCode> {
    let interrupt = Interrupt::install()?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    let corpus = prepare(&args.corpus, &args.out)?;
    let mut store = CheckpointStore::open(args.out.join("checkpoints"), NonZeroUsize::MIN.saturating_add(1))?.with_keep_best(1);
    let mut trainer = trainer(args, &corpus)?;
    let found = store.latest()?;
    found.skipped.iter().for_each(|skipped| eprintln!("{skipped}"));
    let mut stopping = args.patience.map(EarlyStopping::new);
    if let Some(checkpoint) = &found.checkpoint {
        trainer.resume(checkpoint)?;
        stopping = serde_json::from_value(checkpoint.state()["run"]["stopping"].clone()).unwrap_or(stopping);
        eprintln!("going on from step {}", trainer.steps());
    }
    let log = MetricsLog::append(args.out.join("metrics.jsonl"))?.truncate_after(trainer.steps())?;
    let (crew, mut ring) = match args.workers {
        1 => (None, None),
        count => Crew::start(usize::from(count)).map(|(crew, ring)| (Some(crew), Some(ring)))?,
    };
    let peak = peak::measure(&Device::default())?;
    let mut lead = Lead { args, store: &mut store, log: &log, stopping, interrupt, summary: Summary::default(), saved: None, peak };
    let trainer = lead.go(trainer, &corpus, ring.as_mut())?;
    drop(ring);
    crew.map_or(Ok(()), Crew::wait)?;
    lead.finish(&trainer, &corpus)
}

struct Lead<'a> {
    args: &'a TrainArgs,
    store: &'a mut CheckpointStore,
    log: &'a MetricsLog,
    stopping: Option<EarlyStopping>,
    interrupt: Interrupt,
    summary: Summary,
    /// The step of the newest checkpoint of this run.
    saved: Option<u64>,
    /// Operations a second of a large matrix product.
    peak: f64,
}

impl Lead<'_> {
    fn go(&mut self, trainer: Trainer, corpus: &Corpus, mut ring: Option<&mut Communicator>) -> Result<Trainer> {
        let args = self.args;
        let batches = train_batches(args, corpus, 0)?;
        let validation = validation_batches(args, corpus)?;
        let schedule = schedule(args)?;
        let bar = StepBar::new("", args.steps, trainer.steps());
        let before = ring.as_ref().map(|ring| ring.stats().waited).unwrap_or_default();
        let (started, mut tokens) = (std::time::Instant::now(), 0);
        let mut run = Run::new(trainer, &batches, &schedule, args.accumulate);
        while run.trainer.steps() < args.steps {
            tell(&mut ring, true)?;
            let (report, rate) = run.step(ring.as_deref_mut())?;
            tokens += report.tokens;
            bar.show(&report, rate);
            if self.observe(&run.trainer, &report, rate, validation.as_ref(), &bar)? {
                break;
            }
        }
        tell(&mut ring, false)?;
        let seconds = started.elapsed().as_secs_f64().max(f64::EPSILON);
        self.summary.tokens_per_second = tokens as f64 / seconds;
        self.summary.waited = ring.map(|ring| ring.stats().waited.saturating_sub(before).as_secs_f64() / seconds);
        if self.saved != Some(run.trainer.steps()) {
            self.save(&run.trainer, false)?;
        }
        Ok(run.trainer)
    }

    /// Writes down a step; whether training is to stop.
    fn observe(
        &mut self,
        trainer: &Trainer,
        report: &StepReport,
        rate: f64,
        validation: Option<&BatchSource>,
        bar: &StepBar,
    ) -> Result<bool> {
        let step = report.step;
        for (name, value) in [("loss", report.loss), ("lr", report.lr), ("grad_norm", report.grad_norm), ("tokens_per_second", rate)] {
            self.log.scalar(name, step, value)?;
        }
        self.summary.train_loss = Some(report.loss);
        self.summary.interrupted = self.interrupt.raised();
        let due = step.is_multiple_of(self.args.eval_every) || step == self.args.steps;
        let best = due && self.validate(trainer, validation, bar)?;
        if step.is_multiple_of(self.args.checkpoint_every) || best {
            self.save(trainer, best)?;
        }
        Ok(self.summary.interrupted || self.stopping.as_ref().is_some_and(EarlyStopping::should_stop))
    }

    /// Whether the model is the best so far, where that is watched.
    fn validate(&mut self, trainer: &Trainer, validation: Option<&BatchSource>, bar: &StepBar) -> Result<bool> {
        let Some(batches) = validation else { return Ok(false) };
        let Some(loss) = validate(trainer, batches, self.args.eval_batches)? else { return Ok(false) };
        let step = trainer.steps();
        self.log.scalar("validation_loss", step, loss)?;
        self.summary.validation_loss = Some(loss);
        bar.say(&format!("step {step}: validation loss {loss:.4}, perplexity {:.2}", loss.exp()));
        Ok(self.stopping.as_mut().is_some_and(|watch| watch.observe(step, loss) == Verdict::Improved))
    }

    fn save(&mut self, trainer: &Trainer, best: bool) -> Result<()> {
        let checkpoint = trainer.checkpoint(&json!({ "stopping": self.stopping }))?;
        self.log.sync()?;
        self.store.save(&if best { checkpoint.marked_best() } else { checkpoint })?;
        self.saved = Some(trainer.steps());
        Ok(())
    }

    fn finish(mut self, trainer: &Trainer, corpus: &Corpus) -> Result<ExitCode> {
        let args = self.args;
        write_curve(&args.out)?;
        let model = trainer.model();
        let config = model.config().clone();
        let flops =
            DecoderFlops::new(config.num_params() as u64, config.n_layers as u64, config.n_heads as u64, config.head_width() as u64);
        let (rate, context) = (self.summary.tokens_per_second, args.shape.context as u64);
        self.summary.gflops = rate * flops.training_per_token(context) / 1e9;
        self.summary.mfu = Some(flops.utilization(rate, context, self.peak)?);
        self.summary.parameters = config.num_params();
        self.summary.vocab_size = config.vocab_size;
        self.summary.train_tokens = corpus.train().len();
        self.summary.validation_tokens = corpus.validation().len();
        self.summary.steps = trainer.steps();
        self.summary.workers = args.workers;
        self.summary.validation_perplexity = self.summary.validation_loss.map(f64::exp);
        let folder = args.out.join("model");
        let end = corpus.tokenizer().token_id(END);
        CausalModel::new(model, end, end.into_iter().collect()).save_pretrained(&folder)?;
        corpus.tokenizer().save(folder.join("tokenizer.json"))?;
        write_tokenizer_config(&folder, end.map(|_| END), args.shape.context)?;
        // What was written has to be what is read.
        Tokenizer::from_folder(&folder)?;
        self.print(&folder)?;
        Ok(ExitCode::from(if self.summary.interrupted { INTERRUPTED } else { 0 }))
    }

    fn print(&self, folder: &Path) -> Result<()> {
        let summary = &self.summary;
        if self.args.json {
            println!("{}", serde_json::to_string(summary)?);
        } else {
            let loss = |loss: Option<f64>| loss.map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}"));
            println!("{} parameters, {} steps, {:.0} tokens/s", summary.parameters, summary.steps, summary.tokens_per_second);
            let share = summary.mfu.unwrap_or_default() * 100.0;
            println!("{:.0} GFLOP/s: {share:.0} % of the {:.0} of a matrix product", summary.gflops, self.peak / 1e9);
            println!("training loss {}, validation loss {}", loss(summary.train_loss), loss(summary.validation_loss));
            println!("model: {}; curve: {}", folder.display(), self.args.out.join("loss.svg").display());
        }
        if summary.interrupted {
            eprintln!("interrupted: the same command goes on from here");
        }
        Ok(())
    }
}

/// One of the other workers: steps until rank 0 says that it is enough.
fn follow(args: &TrainArgs, rank: usize, ring: &mut Communicator) -> Result<ExitCode> {
    let corpus = Corpus::open(args.out.join("corpus"))?;
    let mut trainer = trainer(args, &corpus)?;
    if let Some(checkpoint) = &CheckpointStore::latest_in(&args.out.join("checkpoints"))?.checkpoint {
        trainer.resume(checkpoint)?;
    }
    let batches = train_batches(args, &corpus, rank)?;
    let schedule = schedule(args)?;
    let mut run = Run::new(trainer, &batches, &schedule, args.accumulate);
    while told(ring)? {
        run.step(Some(ring))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells the other workers whether another step comes.
fn tell(ring: &mut Option<&mut Communicator>, more: bool) -> Result<()> {
    if let Some(ring) = ring {
        ring.broadcast(&mut [f32::from(u8::from(more))], 0)?;
    }
    Ok(())
}

fn told(ring: &mut Communicator) -> Result<bool> {
    let mut more = [0.0];
    ring.broadcast(&mut more, 0)?;
    Ok(more[0] != 0.0)
}

fn trainer(args: &TrainArgs, corpus: &Corpus) -> Result<Trainer> {
    let config = decoder(&args.shape, corpus.tokenizer().vocab_size())?;
    let device = Device::default();
    device.seed(args.seed);
    let settings = TrainerConfig {
        optimizer: AdamWConfig { beta_2: args.beta2, weight_decay: args.weight_decay, ..AdamWConfig::default() },
        max_grad_norm: (args.clip > 0.0).then_some(args.clip),
        label_smoothing: args.label_smoothing,
        seed: args.seed,
        gradient_checkpointing: args.gradient_checkpointing,
        precision: match args.precision {
            PrecisionArg::F32 => Precision::F32,
            PrecisionArg::Bf16 => Precision::Bf16,
        },
    };
    Ok(Trainer::new(config.init(&device), settings))
}

/// The decoder of these arguments.
pub(crate) fn decoder(shape: &ShapeArgs, vocab_size: usize) -> Result<DecoderConfig> {
    ensure!(shape.heads > 0 && shape.width.is_multiple_of(2 * shape.heads), "--width has to be a multiple of twice --heads");
    let kv_heads = shape.kv_heads.unwrap_or(shape.heads);
    ensure!(kv_heads > 0 && shape.heads.is_multiple_of(kv_heads), "--kv-heads has to divide --heads");
    ensure!((0.0..1.0).contains(&shape.dropout), "--dropout has to be at least 0 and below 1");
    let base = |d_ff| {
        DecoderConfig::new(vocab_size, shape.width, shape.heads, shape.layers, d_ff)
            .with_n_kv_heads(Some(kv_heads))
            .with_max_positions(shape.context)
            .with_dropout(shape.dropout)
    };
    Ok(match shape.family {
        // Two thirds of four times the width: as many parameters with a gate as four times without.
        FamilyArg::Llama => base((shape.width * 8 / 3).next_multiple_of(16)),
        FamilyArg::Gpt2 => base(4 * shape.width)
            .with_positions(Positions::Learned)
            .with_norm(NormKind::LayerNorm)
            .with_activation(Activation::GeluTanh)
            .with_gated(false)
            .with_qkv_bias(true)
            .with_output_bias(true)
            .with_mlp_bias(true),
    })
}

fn train_batches(args: &TrainArgs, corpus: &Corpus, rank: usize) -> Result<BatchSource> {
    let order = if args.documents { Order::Shuffled } else { Order::RandomWindows };
    let config = BatchConfig::new(args.batch, args.shape.context)
        .with_order(order)
        .with_seed(args.seed)
        .with_documents(args.documents)
        .with_ignored_borders(args.documents);
    Ok(config.init(corpus.train().clone())?.with_shard(rank, usize::from(args.workers))?)
}

fn validation_batches(args: &TrainArgs, corpus: &Corpus) -> Result<Option<BatchSource>> {
    if corpus.validation().len() <= args.shape.context as u64 {
        eprintln!("the text kept for validation is shorter than --context: there will be no validation loss");
        return Ok(None);
    }
    let config = BatchConfig::new(args.batch, args.shape.context).with_order(Order::Sequential);
    Ok(Some(config.init(corpus.validation().clone())?))
}

fn schedule(args: &TrainArgs) -> Result<Schedule> {
    let floor = args.min_lr.unwrap_or(args.lr / 10.0);
    let warmup = args.warmup.min(args.steps.saturating_sub(1));
    Ok(match args.schedule {
        ScheduleArg::Cosine => Schedule::cosine(args.lr, floor, warmup, args.steps)?,
        ScheduleArg::Wsd => Schedule::wsd(args.lr, floor, warmup, (args.steps * 4 / 5).max(warmup)..args.steps, DecayCurve::Linear)?,
        ScheduleArg::Constant => Schedule::constant(args.lr, warmup)?,
    })
}

/// What tells Hugging Face's tools to take `tokenizer.json` as it is, and not for the tokenizer of a family.
fn write_tokenizer_config(folder: &Path, end: Option<&str>, context: usize) -> Result<()> {
    let config = json!({ "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": context, "eos_token": end, "bos_token": end });
    let path = folder.join("tokenizer_config.json");
    std::fs::write(&path, serde_json::to_string_pretty(&config)?).with_context(|| format!("cannot write {}", path.display()))
}

/// `loss.svg` from `metrics.jsonl`.
fn write_curve(folder: &Path) -> Result<()> {
    let metrics = Metrics::read(&folder.join("metrics.jsonl"))?;
    let series =
        |name: &str, metric: &str| Series::new(name, metrics.scalars(metric).into_iter().map(|(step, value)| (step as f64, value)));
    let chart = LineChart::new("Loss")
        .x_label("step")
        .y_label("nats a token")
        .series(series("training", "loss"))
        .series(series("validation", "validation_loss"));
    let path = folder.join("loss.svg");
    std::fs::write(&path, chart.to_svg()).with_context(|| format!("cannot write {}", path.display()))
}
