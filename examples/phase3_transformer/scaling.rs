//! `scaling`: five sizes on one corpus, and the power law that their losses follow.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use anyhow::{Context, Result};
use jarre_report::{Cell, Column, NumberFormat, Scale, ScatterChart, Series, Table};
use jarre_transformer::DecoderConfig;
use jarre_transformer::train::{PowerLaw, ScalingFit, ScalingRun};

use crate::args::StudyArgs;
use crate::run::validate;
use crate::study::{EVAL_BATCHES, Study, write};

/// Layers and widths; a head has 16 dimensions.
const SIZES: [(usize, usize); 5] = [(1, 32), (2, 48), (3, 64), (4, 96), (5, 144)];

/// Resamples behind an interval.
const RESAMPLES: usize = 1000;

pub(crate) fn run(args: &StudyArgs) -> Result<ExitCode> {
    let study = Study::new(args)?;
    let loss = |name: &str| Column::new(name).format(NumberFormat::Fixed(4));
    let mut table = Table::new([Column::new("layers"), Column::new("width"), Column::new("parameters"), loss("validation loss")]);
    let mut runs = Vec::new();
    for (layers, width) in SIZES {
        let vocab = study.corpus.tokenizer().vocab_size();
        let config =
            DecoderConfig::new(vocab, width, width / 16, layers, (width * 8 / 3).next_multiple_of(16)).with_max_positions(args.context);
        // Of what multiplies: embeddings grow with the vocabulary and not with the model.
        let parameters = config.num_params() - vocab * width;
        let Some(trainer) = study.fit(&format!("{layers} layers of {width}"), &config)? else {
            return study.report("scaling", &table, false);
        };
        let batches = study.validation(args.context)?.context("the text kept for validation is too short: raise --validation")?;
        let loss = validate(&trainer, &batches, EVAL_BATCHES)?.context("the text kept for validation holds no whole batch")?;
        runs.push(ScalingRun { parameters: parameters as f64, loss });
        table.row([Cell::from(layers as u64), Cell::from(width as u64), Cell::from(parameters as u64), Cell::from(loss)])?;
    }
    let code = study.report("scaling", &table, true)?;
    fit(&study, &runs)?;
    Ok(code)
}

fn fit(study: &Study<'_>, runs: &[ScalingRun]) -> Result<()> {
    let fit = match ScalingFit::of(runs) {
        Ok(fit) => fit,
        Err(error) => {
            eprintln!("no power law: {error}; train for longer with --steps");
            return Ok(());
        }
    };
    let law = fit.law();
    let samples = fit.bootstrap(NonZeroUsize::new(RESAMPLES).context("a number of resamples")?, study.args.seed)?;
    let (low, high) = samples.interval(0.95, PowerLaw::exponent)?;
    eprintln!(
        "L(N) = {:.3} + {:.3} N^-{:.3}, exponent within [{low:.3}, {high:.3}] at 95 %, root mean square error of log loss {:.4}",
        law.irreducible(),
        law.coefficient(),
        law.exponent(),
        fit.rms_log_error()
    );
    let smallest = runs.iter().map(|run| run.parameters).fold(f64::INFINITY, f64::min);
    let largest = runs.iter().map(|run| run.parameters).fold(0.0, f64::max);
    let curve = (0..=50).map(|i| smallest * (largest / smallest).powf(f64::from(i) / 50.0)).map(|size| (size, law.loss(size)));
    let chart = ScatterChart::new("Loss by size")
        .x_label("parameters without embeddings")
        .y_label("validation loss, nats a token")
        .x_scale(Scale::Log)
        .series(Series::new("trained", runs.iter().map(|run| (run.parameters, run.loss))))
        .curve(Series::new("fitted", curve));
    write(&study.args.out.join("scaling.svg"), &chart.to_svg())
}
