use anyhow::Result;
use jarre_eval::stats::wilson;
use jarre_guardrails::topics::Closeness;
use jarre_report::{Cell, Column, NumberFormat, Table};

use super::figures::{Figures, Mistake, TopicUse};

/// One row a layer and set: how often it is wrong, with the interval.
pub(crate) fn rates(figures: &Figures) -> Result<Table> {
    let percent = |name: &str| Column::new(name).format(NumberFormat::Fixed(2));
    let columns = [Column::new("layer"), Column::new("set"), Column::new("error"), Column::new("texts"), Column::new("wrong")];
    let shares = [percent("%"), percent("from"), percent("to"), Column::new("learnt from")];
    let mut table = Table::new(columns.into_iter().chain(shares)).caption("How often a layer is wrong, with Wilson intervals of 95 %");
    for rate in &figures.rates {
        let interval = rate.interval()?;
        table.row([
            rate.layer.as_str().into(),
            rate.set.as_str().into(),
            rate.side.to_string().into(),
            rate.texts.into(),
            rate.wrong.into(),
            (100.0 * rate.share()).into(),
            (100.0 * interval.low).into(),
            (100.0 * interval.high).into(),
            Cell::from(if rate.seen { "yes" } else { "no" }),
        ])?;
    }
    Ok(table)
}

/// How well scores part the sides.
pub(crate) fn rankings(figures: &Figures) -> Result<Table> {
    let share = |name: &str| Column::new(name).format(NumberFormat::Fixed(3));
    let columns =
        [Column::new("layer"), Column::new("set"), Column::new("harmful"), Column::new("harmless"), share("AUPRC"), share("AUROC")];
    let mut table = Table::new(columns.into_iter().chain([Column::new("learnt from")])).caption("How well scores part the sides");
    for ranking in &figures.rankings {
        table.row([
            ranking.layer.as_str().into(),
            ranking.set.as_str().into(),
            ranking.harmful.into(),
            ranking.harmless.into(),
            ranking.auprc.into(),
            ranking.auroc.into(),
            Cell::from(if ranking.seen { "yes" } else { "no" }),
        ])?;
    }
    Ok(table)
}

/// How long stages and layers take.
pub(crate) fn latencies(figures: &Figures) -> Result<Table> {
    let micros = |name: &str| Column::new(name).format(NumberFormat::Fixed(0));
    let columns = [Column::new("what"), Column::new("bytes"), Column::new("runs"), micros("p50 µs"), micros("p99 µs")];
    let each = Column::new("p50 ns a byte").format(NumberFormat::Fixed(1));
    let mut table = Table::new(columns.into_iter().chain([each])).caption("How long a text takes, one thread");
    for latency in &figures.latencies {
        let [bytes, runs] = [latency.bytes, latency.runs].map(|count| Cell::from(count as u64));
        let each = 1e3 * latency.p50_us / latency.bytes as f64;
        table.row([latency.layer.as_str().into(), bytes, runs, latency.p50_us.into(), latency.p99_us.into(), each.into()])?;
    }
    Ok(table)
}

/// How topics part domains: what of the texts to be found is found, and what of the others.
pub(crate) fn topics(figures: &Figures) -> Result<Table> {
    let percent = |name: &str| Column::new(name).format(NumberFormat::Fixed(1));
    let names = ["domain", "is", "by the", "aim %", "threshold", "texts"].map(Column::new);
    let shares =
        ["TPR %", "from", "to"].map(percent).into_iter().chain([Column::new("others")]).chain(["FPR %", "from", "to"].map(percent));
    let mut table = Table::new(names.into_iter().chain(shares)).caption("Topics, with Wilson intervals of 95 %");
    for rate in &figures.topics {
        let share = |found: u64, of: u64| -> Result<[Cell; 3]> {
            let interval = wilson(found, of, 0.95)?;
            Ok([found as f64 / of.max(1) as f64, interval.low, interval.high].map(|share| (100.0 * share).into()))
        };
        let usage = match rate.usage {
            TopicUse::Denied => "denied",
            TopicUse::Allowed => "allowed",
        };
        let closeness = match rate.closeness {
            Closeness::Nearest => "nearest",
            Closeness::Centroid => "centroid",
        };
        let aim = format!("{:.0}", 100.0 * rate.aim);
        let mut row: Vec<Cell> =
            vec![rate.domain.as_str().into(), usage.into(), closeness.into(), aim.into(), format!("{:.3}", rate.threshold).into()];
        row.push(rate.texts.into());
        row.extend(share(rate.found, rate.texts)?);
        row.push(rate.others.into());
        row.extend(share(rate.falsely_found, rate.others)?);
        table.row(row)?;
    }
    Ok(table)
}

/// What a judge says of the mistakes.
pub(crate) fn graded(figures: &Figures) -> Result<Table> {
    let columns = ["judge", "layer", "set", "error", "asked", "sides with the guard", "no verdict"].map(Column::new);
    let mut table = Table::new(columns).caption("What a judge says of the mistakes");
    for graded in &figures.graded {
        table.row([
            graded.judge.as_str().into(),
            graded.layer.as_str().into(),
            graded.set.as_str().into(),
            graded.side.to_string().into(),
            graded.texts.into(),
            graded.with_guard.into(),
            Cell::from(graded.unjudged),
        ])?;
    }
    Ok(table)
}

/// The texts that layers were wrong about, the first of each set.
pub(crate) fn mistakes(mistakes: &[Mistake], most: usize) -> Result<Table> {
    let columns = [Column::new("layer"), Column::new("set"), Column::new("error"), Column::new("text"), Column::new("found")];
    let mut table = Table::new(columns).caption("What they were wrong about");
    let mut shown = (String::new(), 0);
    for mistake in mistakes {
        let key = format!("{}/{}/{}", mistake.layer, mistake.set, mistake.side);
        shown = if shown.0 == key { (key, shown.1 + 1) } else { (key, 1) };
        if shown.1 <= most {
            let text = crate::check::excerpt(&mistake.text, 240);
            table.row([
                mistake.layer.as_str().into(),
                mistake.set.as_str().into(),
                mistake.side.to_string().into(),
                text.into(),
                mistake.found.join(", ").into(),
            ])?;
        }
    }
    Ok(table)
}
