use anyhow::Result;
use jarre_eval::{
    compare::{Comparison, Options, Units},
    stats::holm,
    track::{SampleTexts, Tracker},
};
use jarre_report::{Column, NumberFormat, Table};
use serde_json::json;

use crate::{
    args::{Cli, RunArgs},
    run::{ask, load},
};

/// Every combination of the file's [sweep], each compared with the first by pairs of items, p-values adjusted for their number.
pub fn run(cli: &Cli, tracker: &Tracker, args: &RunArgs) -> Result<u8> {
    let experiment = load(args)?;
    let variants =
        experiment.swept()?.into_iter().filter(|variant| args.models.is_empty() || args.models.contains(&variant.model.name)).collect();
    let (answered, code) = ask(cli, tracker, args, &experiment, variants)?;
    let Some(metric) = crate::judge::scoring(&experiment)?.names().into_iter().next() else { return Ok(code) };
    let [first, others @ ..] = answered.as_slice() else { return Ok(code) };
    let baseline = tracker.samples(&first.run, SampleTexts::Lean)?;
    let mut compared = Vec::new();
    for other in others {
        let candidate = tracker.samples(&other.run, SampleTexts::Lean)?;
        let options = Options { units: Units::Auto, ..Options::new(&metric) };
        compared.push((&other.variant, Comparison::new(&baseline, &candidate, &options)?));
    }
    let p_values: Vec<f64> = compared.iter().map(|(_, comparison)| comparison.p_value.unwrap_or(1.0)).collect();
    let adjusted = holm(&p_values)?;
    if cli.json {
        for ((variant, comparison), p) in compared.iter().zip(&adjusted) {
            println!("{}", json!({"baseline": first.variant, "candidate": variant, "comparison": comparison, "p_holm": p}));
        }
        return Ok(code);
    }
    let fixed = |name: &str| Column::new(name).format(NumberFormat::Fixed(4));
    let mut table =
        Table::new([Column::new(format!("against {}", first.variant)), fixed("difference"), fixed("p (Holm)"), Column::new("verdict")]);
    for ((variant, comparison), p) in compared.iter().zip(adjusted) {
        table.row([variant.as_str().into(), comparison.means.difference.mean.into(), p.into(), comparison.verdict.to_string().into()])?;
    }
    print!("\n{}", table.to_plain_text());
    Ok(code)
}
