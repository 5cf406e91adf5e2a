use std::{fs::File, io::BufWriter};

use anyhow::{Context, Result};
use jarre_core::{Clock, SystemClock};
use jarre_eval::compare::{Comparison, Figure, Options, ReportOptions, Side, Units, report};
use serde_json::json;

use crate::args::OutputArgs;

/// Says what came of it, and writes the report where one is wanted.
pub(crate) fn tell(sides: &[Side], metric: &str, output: &OutputArgs) -> Result<()> {
    let [baseline, candidate] = sides else { anyhow::bail!("two runs are compared, not {}", sides.len()) };
    let comparison = Comparison::new(&baseline.samples, &candidate.samples, &Options { effect: Some(0.02), ..Options::new(metric) })?;
    if output.json {
        let figures = sides.iter().map(|side| figure(side, metric)).collect::<Result<Vec<_>>>()?;
        println!("{}", json!({"figures": figures, "comparison": comparison, "verdict": comparison.verdict.to_string()}));
    } else {
        for side in sides {
            let figure = figure(side, metric)?;
            let interval = figure
                .interval
                .map_or_else(String::new, |interval| format!(" ({:.1} to {:.1})", 100.0 * interval.low, 100.0 * interval.high));
            println!(
                "{}: {:.1} %{interval} of {} right, {} without an answer",
                side.name,
                100.0 * figure.mean,
                figure.n,
                figure.unscored + figure.errors
            );
        }
        if let Some(binary) = &comparison.binary {
            let table = &binary.table;
            println!(
                "both right {}, only the first {}, only the second {}, neither {}",
                table.both, table.baseline_only, table.candidate_only, table.neither
            );
            println!("McNemar exact p = {:.3e}, mid-p = {:.3e}", binary.mcnemar.exact, binary.mcnemar.mid_p);
        }
        println!("{} against {}: {}", candidate.name, baseline.name, comparison.verdict);
    }
    match &output.html {
        Some(path) => {
            let created = SystemClock::new().timestamp().to_string();
            let options = ReportOptions { primary: Some(metric.to_owned()), created, ..ReportOptions::new("Does it help?") };
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(report(sides, &options)?.write(BufWriter::new(file))?)
        }
        None => Ok(()),
    }
}

fn figure(side: &Side, metric: &str) -> Result<Figure> {
    Ok(Figure::of(&side.samples, metric, Units::Auto, 0.95)?)
}
