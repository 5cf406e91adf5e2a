//! Writes a report of made-up runs, to look at and to drive in a browser: `report_page [FILE [ITEMS]]`.

use std::{error::Error, fs::File, io::BufWriter, path::PathBuf, time::Duration};

use jarre_core::{Cost, Usage};
use jarre_eval::{
    Outcome, Score,
    page::{
        Answer, Comparison, Difference, Estimate, Figure, Item, Judge, Level, Metric, Multiplicity, Notice, Report, Slice, Summary, System,
        Variant,
    },
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let file = arguments.next().map_or_else(|| PathBuf::from("report.html"), PathBuf::from);
    let items = arguments.next().map_or(Ok(400), |count| count.to_string_lossy().parse())?;
    report(items).write(BufWriter::new(File::create(file)?))?;
    Ok(())
}

const VARIANTS: [(&str, &str, f64); 3] =
    [("naive", "zero-shot", 0.58), ("step by step", "zero-shot chain of thought", 0.66), ("8 examples", "few-shot chain of thought", 0.69)];

/// What a model may write, on purpose or not.
const HOSTILE: &str = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>\u{2028}\0\u{202e}gnihtyna\u{200b}\u{e0041}";

/// Numbers from 0 to 1 that look random and are the same everywhere.
fn noise(place: usize, salt: u32) -> f64 {
    let mixed = (place as u32).wrapping_mul(0x9e37_79b9) ^ salt.wrapping_mul(0x85eb_ca6b).rotate_left(13);
    let mixed = (mixed ^ mixed >> 15).wrapping_mul(0xc2b2_ae35);
    f64::from((mixed ^ mixed >> 13) >> 8) / f64::from(1_u32 << 24)
}

fn report(count: usize) -> Report {
    let items: Vec<Item> = (0..count).map(item).collect();
    Report {
        title: "Arithmetic in words: three prompts".to_owned(),
        lead: "Asking for the steps helps; whether examples help further these items do not tell. The runs are made up.".to_owned(),
        created: "2026-11-29".to_owned(),
        confidence: 0.95,
        metrics: vec![Metric::new("exact_match").with_pass_mark(1.0), Metric::new("edit_distance").lower_is_better()],
        variants: (0..VARIANTS.len()).map(|variant| summarised(variant, &items)).collect(),
        comparisons: comparisons(),
        multiplicity: vec![multiplicity()],
        judges: vec![judge()],
        notices: notices(),
        items,
        provenance: vec![("command".to_owned(), "cargo run -p jarre-eval --example report_page".to_owned())],
    }
}

fn multiplicity() -> Multiplicity {
    let corrected = vec![("Holm".to_owned(), 1), ("Benjamini-Hochberg".to_owned(), 2)];
    Multiplicity { family: "pairs of variants on exact_match".to_owned(), alpha: 0.05, tests: 3, nominal: 2, corrected }
}

fn notices() -> Vec<Notice> {
    let values = ["9f2c", "9f2c", "77ab"].map(str::to_owned).to_vec();
    let text = "12 answers stopped at the limit of tokens.".to_owned();
    vec![
        Notice::not_comparable(vec![Difference { field: "dataset.digest".to_owned(), values }]),
        Notice { level: Level::Warning, text, differences: Vec::new() },
    ]
}

fn item(place: usize) -> Item {
    let (price, pieces) = (3 + place % 17, 2 + place / 17 % 9);
    let target = price * pieces;
    let input = format!(
        "A box holds {pieces} lamps and a lamp costs {price} coins. Ada buys one box and pays with a purse of {} coins. What does the box cost?",
        target + 20
    );
    let answers = (0..VARIANTS.len()).map(|variant| answers(place, variant, target)).collect();
    let input = if place == 3 { format!("{input} {HOSTILE}") } else { input };
    Item {
        id: format!("lamp-{place:05}"),
        input,
        target: Some(target.to_string()),
        cluster: Some(format!("template {}", place % 4)),
        stratum: Some(["easy", "hard"][place % 2].to_owned()),
        tags: vec!["multiplication".to_owned()],
        answers,
    }
}

fn answers(place: usize, variant: usize, target: usize) -> Vec<Answer> {
    let repeats = if place % 11 == 5 { 5 } else { 1 };
    (0..repeats).map(|repeat| answer(place, variant, target, repeat)).collect()
}

fn answer(place: usize, variant: usize, target: usize, repeat: usize) -> Answer {
    let salt = (variant * 8 + repeat) as u32;
    let solved = noise(place, 99) * 0.5 + noise(place, salt) * 0.5 < VARIANTS[variant].2;
    let found = if solved { target } else { target + 1 + place % 7 };
    let usage = Usage::new(80 + 40 * variant as u64, if variant == 0 { 8 } else { 60 });
    let latency = Some(Duration::from_secs_f64((0.2 + 0.9 * variant as f64) * (0.6 + noise(place, salt + 40).powi(3) * 2.0)));
    if place % 97 == 13 && variant == 1 {
        return Answer { error: Some("the server answered 503 three times".to_owned()), latency, ..Answer::default() };
    }
    let output = written(place, variant, found, target);
    let unscored = place % 53 == 7 && variant == 2;
    let exact =
        if unscored { Outcome::Unscored("no number in the answer".to_owned()) } else { Outcome::Scored(f64::from(u8::from(solved))) };
    let explanation = Some(format!("wanted {target}, read {found}"));
    let distance = Outcome::Scored(if solved { 0.0 } else { 1.0 + (place % 3) as f64 });
    let score = |scorer: &str, outcome, explanation| Score { scorer: scorer.to_owned(), version: "1".to_owned(), outcome, explanation };
    Answer {
        output,
        extracted: (!unscored).then(|| found.to_string()),
        finish_reason: Some(if place % 80 == 9 { "length" } else { "stop" }.to_owned()),
        usage,
        cost: Cost::from_micros(usage.total_tokens() * 2),
        latency,
        error: None,
        scores: vec![score("exact_match", exact, explanation), score("edit_distance", distance, None)],
    }
}

fn written(place: usize, variant: usize, found: usize, target: usize) -> String {
    match (place, variant) {
        (3, _) => format!("{HOSTILE} {found}"),
        (4, 2) => format!("{}\nThe box costs {found} coins.", "Let me think about lamps. ".repeat(4_000)),
        (_, 0) => format!("The box costs {found} coins."),
        (_, 1) => format!(
            "Let me work it out. The lamps in the box cost {found} coins together, so the box costs {found} coins.\n\nAnswer: {found}"
        ),
        _ => format!(
            "Let me work it out. Each lamp has a price, and the lamps in the box cost {found} coins together; the purse holds {} coins, which does not matter.\n\nAnswer: {found}",
            target + 20
        ),
    }
}

fn summarised(variant: usize, items: &[Item]) -> Variant {
    let (name, method, _) = VARIANTS[variant];
    let answers = || items.iter().flat_map(move |item| item.answers_of(variant));
    let latencies: Vec<Duration> = answers().filter_map(|answer| answer.latency).collect();
    let typical = latencies.iter().sum::<Duration>().as_secs_f64() / latencies.len().max(1) as f64;
    let usage: Usage = answers().map(|answer| answer.usage).sum();
    let cost: Cost = answers().map(|answer| answer.cost).sum();
    let each = cost.micros() as f64 / 1e6 / items.len().max(1) as f64;
    let figure = |name: &str, value: f64| Figure { name: name.to_owned(), estimate: around(value, 0.05 * value), unit: "s".to_owned() };
    let system = System {
        times_to_first_token: latencies.iter().map(|latency| *latency / 5).collect(),
        latencies,
        latency: Some(around(typical, 0.06 * typical)),
        cost_per_item: Some(around(each, 0.02 * each)),
        usage,
        cost,
        throughput: Some(usage.completion_tokens as f64 / 60.0),
        figures: vec![figure("latency p95", typical * 2.1), figure("TTFT p50", typical / 5.0)],
    };
    let digest = if variant == 2 { "77ab" } else { "9f2c" };
    let provenance = [("model", "made-up-1b"), ("prompt", method), ("dataset.digest", digest), ("git", "0f3a9c1")];
    Variant {
        name: name.to_owned(),
        model: "made-up-1b".to_owned(),
        prompt: format!("arithmetic v{}", variant + 1),
        method: method.to_owned(),
        run: format!("run {}", 41 + variant),
        provenance: provenance.map(|(field, value)| (field.to_owned(), value.to_owned())).to_vec(),
        summaries: ["exact_match", "edit_distance"].into_iter().map(|metric| summary(metric, variant, items)).collect(),
        system,
    }
}

fn summary(metric: &str, variant: usize, items: &[Item]) -> Summary {
    let scores = items.iter().filter_map(|item| item.answers_of(variant)[0].scores.iter().find(|score| score.scorer == metric));
    let values: Vec<f64> = scores.filter_map(|score| score.outcome.value()).collect();
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let spread = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len().max(1) as f64;
    let half = 1.96 * (spread / values.len().max(1) as f64).sqrt();
    let errors = items.iter().filter(|item| item.answers_of(variant)[0].error.is_some()).count() as u64;
    let n = values.len() as u64;
    Summary { metric: metric.to_owned(), n, estimate: around(mean, half), unscored: items.len() as u64 - n - errors, errors }
}

fn comparisons() -> Vec<Comparison> {
    let compared = |baseline: usize, candidate: usize, difference: Estimate, p: f64, verdict: &str| Comparison {
        baseline: VARIANTS[baseline].0.to_owned(),
        candidate: VARIANTS[candidate].0.to_owned(),
        metric: "exact_match".to_owned(),
        pairs: 388,
        excluded: 12,
        difference,
        discordant: Some((71, 40)),
        p: Some(p),
        p_adjusted: Some((3.0 * p).min(1.0)),
        minimum_detectable: Some(0.071),
        verdict: verdict.to_owned(),
        slices: Vec::new(),
    };
    let slice = |name: &str, value: f64| Slice {
        name: name.to_owned(),
        pairs: 194,
        difference: around(value, 0.06),
        p: Some(0.04),
        p_adjusted: Some(0.08),
    };
    let mut all = vec![
        compared(0, 1, around(0.081, 0.05), 0.0021, "better by 3 to 13 points"),
        compared(0, 2, around(0.104, 0.052), 0.000_000_4, "better by 5 to 16 points"),
        compared(1, 2, around(0.023, 0.047), 0.34, "not distinguishable: 95 % interval -2.4 to +7.0 points; 1,450 more items would show 2"),
    ];
    all[0].slices = vec![slice("easy", 0.03), slice("hard", 0.13)];
    all
}

fn judge() -> Judge {
    let figure = |name: &str, value| Figure { name: name.to_owned(), estimate: around(value, 0.06), unit: String::new() };
    Judge {
        name: "rubric judge, made-up-7b, prompt v3".to_owned(),
        labels: 200,
        figures: vec![figure("Cohen's kappa", 0.58), figure("position consistency", 0.81)],
        warning: Some("the judge's prompt changed after it was calibrated".to_owned()),
    }
}

fn around(value: f64, half: f64) -> Estimate {
    Estimate { value, low: value - half, high: value + half }
}
