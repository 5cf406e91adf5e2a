//! `compare-positions`: four ways to know where a token stands, trained alike.

use std::process::ExitCode;

use anyhow::Result;
use jarre_report::{Cell, Column, LineChart, NumberFormat, Series, Table};
use jarre_transformer::train::Trainer;
use jarre_transformer::{DecoderConfig, Positions, RopeConfig};

use crate::args::StudyArgs;
use crate::run::validate;
use crate::study::{EVAL_BATCHES, Study, write};

/// Lengths at which models are validated, in units of the length that they saw.
const STRETCHES: [usize; 4] = [1, 2, 4, 8];

pub(crate) fn run(args: &StudyArgs) -> Result<ExitCode> {
    let study = Study::new(args)?;
    let kinds = [
        ("sinusoidal", Positions::Sinusoidal),
        ("learned", Positions::Learned),
        ("rope", Positions::Rope(RopeConfig::new(10_000.0))),
        ("alibi", Positions::Alibi),
    ];
    let number = |stretch: usize| Column::new(format!("loss at {} tokens", stretch * args.context)).format(NumberFormat::Fixed(3));
    let columns = [Column::new("positions"), Column::new("parameters")];
    let mut table = Table::new(columns.into_iter().chain(STRETCHES.map(number)));
    let mut chart = LineChart::new("Validation loss by length").x_label("tokens in view").y_label("nats a token");
    for (name, positions) in &kinds {
        let config = DecoderConfig::new(study.corpus.tokenizer().vocab_size(), 128, 4, 4, 352)
            .with_max_positions(args.context)
            .with_positions(positions.clone());
        let Some(trainer) = study.fit(name, &config)? else { return study.report("positions", &table, false) };
        let losses =
            STRETCHES.iter().map(|stretch| loss(&study, &trainer, positions, stretch * args.context)).collect::<Result<Vec<_>>>()?;
        let known = STRETCHES.iter().zip(&losses).filter_map(|(stretch, loss)| Some(((stretch * args.context) as f64, (*loss)?)));
        chart = chart.series(Series::new(*name, known));
        let cells = [Cell::from(*name), Cell::from(config.num_params() as u64)];
        table.row(cells.into_iter().chain(losses.iter().map(|loss| Cell::from(*loss))))?;
    }
    write(&args.out.join("positions.svg"), &chart.to_svg())?;
    study.report("positions", &table, true)
}

/// A learned table has no rows beyond the length it was trained on.
fn loss(study: &Study<'_>, trainer: &Trainer, positions: &Positions, seq: usize) -> Result<Option<f64>> {
    if *positions == Positions::Learned && seq > study.args.context {
        return Ok(None);
    }
    match study.validation(seq)? {
        Some(batches) => validate(trainer, &batches, EVAL_BATCHES),
        None => Ok(None),
    }
}
