//! `sweep`: what the settings of sampling do to a text.

use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::{Context, Result};
use jarre_report::{Cell, Column, NumberFormat, ScatterChart, Series, Table};
use jarre_transformer::generate::{SamplingParams, StopCriteria, distinct_n, generate, repetition, self_bleu};

use crate::args::SweepArgs;
use crate::model::Opened;

/// A family of settings and its members.
type Grid = Vec<(&'static str, Vec<(String, SamplingParams)>)>;

/// Figures of all answers of one setting.
struct Figures {
    distinct: [f64; 2],
    self_bleu: f64,
    repeated: f64,
    length: f64,
    first_token_ms: f64,
}

pub(crate) fn run(args: &SweepArgs) -> Result<()> {
    let opened = Opened::open(&args.model)?;
    let prompts = args.prompt.iter().map(|prompt| opened.prompt(prompt)).collect::<Result<Vec<_>>>()?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    let number = |name: &str, digits| Column::new(name).format(NumberFormat::Fixed(digits));
    let names = [("distinct-1", 3), ("distinct-2", 3), ("self-BLEU", 3), ("repeated 4-grams", 3), ("tokens", 1), ("first token, ms", 1)];
    let columns = [Column::new("setting"), Column::new("value")].into_iter().chain(names.map(|(name, digits)| number(name, digits)));
    let mut table = Table::new(columns);
    let mut chart = ScatterChart::new("Diversity against repetition").x_label("distinct-2").y_label("repeated 4-grams");
    for (name, members) in grid() {
        let mut points = Vec::new();
        for (value, params) in members {
            let figures = measure(&opened, &prompts, &params, args)?;
            points.push((figures.distinct[1], figures.repeated));
            let numbers =
                [figures.distinct[0], figures.distinct[1], figures.self_bleu, figures.repeated, figures.length, figures.first_token_ms];
            table.row([Cell::from(name), Cell::from(value.as_str())].into_iter().chain(numbers.map(Cell::from)))?;
        }
        chart = chart.series(Series::new(name, points));
    }
    let written = [("sweep.svg", chart.to_svg()), ("sweep.md", table.to_markdown()), ("sweep.json", table.to_json())];
    for (file, text) in &written {
        crate::study::write(&args.out.join(file), text)?;
    }
    println!("{}", if args.json { table.to_json() } else { table.to_plain_text() });
    Ok(())
}

fn grid() -> Grid {
    let plain = SamplingParams::default;
    let members = |values: &[f32], of: &dyn Fn(f32) -> SamplingParams| values.iter().map(|value| (value.to_string(), of(*value))).collect();
    vec![
        ("greedy", vec![("-".to_owned(), SamplingParams::greedy())]),
        ("temperature", members(&[0.3, 0.7, 1.0, 1.3], &|t| plain().with_temperature(t))),
        ("top_p", members(&[0.5, 0.8, 0.9, 0.95], &|p| plain().with_top_p(p))),
        ("top_k", members(&[1.0, 5.0, 20.0, 50.0], &|k| plain().with_top_k(k as u32))),
        ("min_p", members(&[0.02, 0.05, 0.1, 0.3], &|p| plain().with_min_p(p))),
        ("mirostat tau", members(&[1.0, 2.0, 3.0, 5.0], &|tau| plain().with_mirostat(tau, 0.1))),
    ]
}

fn measure(opened: &Opened, prompts: &[Vec<u32>], params: &SamplingParams, args: &SweepArgs) -> Result<Figures> {
    let stop = StopCriteria::new(args.max_tokens).with_eos_token_ids(opened.model.eos().iter().copied());
    let (mut texts, mut waits) = (Vec::new(), Vec::new());
    for prompt in prompts {
        for seed in 0..args.repeats {
            let (started, mut first) = (Instant::now(), None);
            let answer = generate(&opened.model, prompt, &params.clone().with_seed(seed), &stop, &mut |_| {
                first.get_or_insert_with(|| started.elapsed());
                ControlFlow::Continue(())
            })?;
            waits.extend(first.map(|wait| wait.as_secs_f64() * 1e3));
            texts.push(answer.tokens);
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    Ok(Figures {
        distinct: [1, 2].map(|n| distinct_n(&texts, n)),
        self_bleu: self_bleu(&texts, 4),
        repeated: mean(&texts.iter().map(|text| repetition(text, 4).rate).collect::<Vec<_>>()),
        length: mean(&texts.iter().map(|text| text.len() as f64).collect::<Vec<_>>()),
        first_token_ms: mean(&waits),
    })
}
