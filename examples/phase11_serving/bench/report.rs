//! Figures of one load, for people.

use anyhow::Result;
use jarre_report::{Cell, Column, LineChart, NumberFormat, Scale, Series, Table};

use super::summary::{Summary, Times};

pub(super) fn text(summary: &Summary) -> Result<String> {
    let number = |name: &str| Column::new(name).format(NumberFormat::Fixed(2));
    let mut table = Table::new([Column::new("ms"), number("mean"), number("median"), number("std"), number("p99")]);
    for (name, times) in named(summary) {
        table.row([Cell::from(name)].into_iter().chain([times.mean, times.median, times.std, times.p99].map(Cell::from)))?;
    }
    let goodput = summary.request_goodput.map_or_else(String::new, |goodput| format!(", {goodput:.2} of them good"));
    let preemptions = summary.cache.map_or_else(String::new, |cache| format!(", {} preemptions", cache.preemptions));
    Ok(format!(
        "{} requests in {:.1} s, {} refused{preemptions}: {:.2} requests/s{goodput}\n{} tokens in, {} out: {:.0} output tokens/s, {:.0} tokens/s in all\n\
         {}\n{}",
        summary.completed,
        summary.duration,
        summary.refused,
        summary.request_throughput,
        summary.total_input_tokens,
        summary.total_output_tokens,
        summary.output_throughput,
        summary.total_token_throughput,
        notes(summary),
        table.to_plain_text()
    ))
}

/// A line for each thing that there is to say.
fn notes(summary: &Summary) -> String {
    let cache = summary.cache.map(|cache| {
        let (found, held) = (100.0 * cache.prefix_cache_hit_rate, 100.0 * cache.peak_kv_usage);
        format!("{found:.1} % of prompt tokens were cached; at most {held:.1} % of the cache was held\n")
    });
    let (skipped, cut) = (summary.skipped, summary.cut);
    let trace = (skipped + cut > 0).then(|| format!("of the trace {skipped} requests were too long and did not come, {cut} were cut\n"));
    let failed = (summary.failed > 0).then(|| format!("{} requests failed\n", summary.failed));
    let refusals = summary.refusal_ms.as_ref().map(|times| {
        let (median, p99, most) = (times.median, times.p99, times.max());
        format!("refusals after {median:.2} ms in the median, {p99:.2} p99, {most:.2} at most\n")
    });
    [cache, trace, failed, refusals].into_iter().flatten().collect()
}

fn named(summary: &Summary) -> [(&'static str, &Times); 4] {
    [("TTFT", &summary.ttft_ms), ("TPOT", &summary.tpot_ms), ("ITL", &summary.itl_ms), ("E2EL", &summary.e2el_ms)]
}

/// Which share of times is at most so long.
pub(super) fn curves(summary: &Summary) -> String {
    let chart = LineChart::new("Times under load").x_label("milliseconds").y_label("share at most").x_scale(Scale::Log).y_range(0.0, 1.0);
    named(summary)
        .into_iter()
        .fold(chart, |chart, (name, times)| {
            let share = |index: usize| (index + 1) as f64 / times.sorted.len() as f64;
            chart.series(Series::new(name, times.sorted.iter().enumerate().map(|(index, time)| (*time, share(index)))))
        })
        .to_svg()
}
