//! `bench`: an engine under load.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use jarre_core::{Clock, SystemClock};
use jarre_report::{Cell, Column, LineChart, NumberFormat, Scale, Series, Table};
use jarre_serving::Request;

use crate::args::BenchArgs;
use crate::measure::drive;
use crate::summary::{Summary, Times};
use crate::{load, model};

pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let opened = model::open(&args.model)?;
    let mut options = model::options(&args.model)?;
    if args.request_rate.is_infinite() {
        options.max_waiting = options.max_waiting.max(args.num_prompts);
    }
    let mut core = opened.engine(&options)?;
    let plan = load::plan(args, opened.causal().config().vocab_size)?;
    let clock = SystemClock::new();
    warm_up(&mut core, &clock)?;
    let before = core.stats();
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    ctrlc::set_handler(move || raised.store(true, Ordering::Relaxed)).context("cannot watch for Ctrl-C")?;
    let bar = progress(plan.len());
    let measured = drive(&mut core, plan, &clock, &stop, &bar)?;
    bar.finish_and_clear();
    let mut stats = core.stats();
    stats.preemptions -= before.preemptions;
    stats.prefix_cache_queries -= before.prefix_cache_queries;
    stats.prefix_cache_hits -= before.prefix_cache_hits;
    let summary = Summary::of(&measured, &args.goodput, &stats);
    if let Some(path) = &args.out {
        std::fs::write(path, curves(&summary)).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{}", if args.json { serde_json::to_string_pretty(&summary)? } else { text(&summary)? });
    Ok(())
}

/// Wakes threads and touches weights before anything is measured.
fn warm_up(core: &mut jarre_serving::EngineCore<jarre_serving::PagedRunner>, clock: &dyn Clock) -> Result<()> {
    core.add(Request::new([0; 8]).with_max_tokens(2).with_cache_salt("warm-up"), clock.now())?;
    while !core.is_idle() {
        core.step(&|| clock.now());
    }
    Ok(())
}

fn progress(requests: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} answered, {elapsed} of about {duration}");
    ProgressBar::new(requests as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn text(summary: &Summary) -> Result<String> {
    let number = |name: &str| Column::new(name).format(NumberFormat::Fixed(2));
    let mut table = Table::new([Column::new("ms"), number("mean"), number("median"), number("std"), number("p99")]);
    for (name, times) in named(summary) {
        table.row([Cell::from(name)].into_iter().chain([times.mean, times.median, times.std, times.p99].map(Cell::from)))?;
    }
    let goodput = summary.request_goodput.map_or_else(String::new, |goodput| format!(", {goodput:.2} of them good"));
    Ok(format!(
        "{} requests in {:.1} s, {} refused, {} preemptions: {:.2} requests/s{goodput}\n{} tokens in, {} out: {:.0} output tokens/s, {:.0} tokens/s in all\n\
         {:.1} % of prompt tokens were cached; at most {:.1} % of the cache was held\n\n{}",
        summary.completed,
        summary.duration,
        summary.refused,
        summary.preemptions,
        summary.request_throughput,
        summary.total_input_tokens,
        summary.total_output_tokens,
        summary.output_throughput,
        summary.total_token_throughput,
        100.0 * summary.prefix_cache_hit_rate,
        100.0 * summary.peak_kv_usage,
        table.to_plain_text()
    ))
}

fn named(summary: &Summary) -> [(&'static str, &Times); 4] {
    [("TTFT", &summary.ttft_ms), ("TPOT", &summary.tpot_ms), ("ITL", &summary.itl_ms), ("E2EL", &summary.e2el_ms)]
}

/// Which share of times is at most so long.
fn curves(summary: &Summary) -> String {
    let chart = LineChart::new("Times under load").x_label("milliseconds").y_label("share at most").x_scale(Scale::Log).y_range(0.0, 1.0);
    named(summary)
        .into_iter()
        .fold(chart, |chart, (name, times)| {
            let share = |index: usize| (index + 1) as f64 / times.sorted.len() as f64;
            chart.series(Series::new(name, times.sorted.iter().enumerate().map(|(index, time)| (*time, share(index)))))
        })
        .to_svg()
}
