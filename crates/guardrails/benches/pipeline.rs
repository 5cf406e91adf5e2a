//! Six cheap guards in two groups: texts of 1 kB and 32 kB as a whole and in pieces of 4 bytes, one thread against two by the length of the
//! text, and times against lengths up to 10 MB. What is found is held to what is known before anything is timed.
//!
//! `cargo bench -p jarre-guardrails --bench pipeline`

#![expect(clippy::print_stdout, reason = "a program")]

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jarre_core::{Clock, SystemClock};
use jarre_guardrails::{
    Context, Effect, Finding, Guard, Reach, Result, Scan, Stage,
    pipeline::{Layer, Pipeline},
    scan::{Matcher, Pattern},
};

struct Words {
    name: &'static str,
    patterns: Arc<[Pattern]>,
    effect: Effect,
}

impl Words {
    fn layer(name: &'static str, regexes: &[&str], effect: Effect) -> Layer {
        let patterns = regexes.iter().map(|regex| Pattern::new(name, regex).expect("a bounded pattern")).collect();
        Layer::new(Arc::new(Self { name, patterns, effect }))
    }
}

impl Guard for Words {
    fn name(&self) -> &str {
        self.name
    }

    fn reach(&self) -> Reach {
        Matcher::reach(&self.patterns)
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        let effect = self.effect.clone();
        Box::new(Matcher::new(self.patterns.clone(), move |_, _| effect.clone()))
    }
}

/// Decides at once that there is nothing: what is left is the cost of the pipeline.
struct Nothing;

struct Nowhere(usize);

impl Guard for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }

    fn reach(&self) -> Reach {
        Reach::Bytes(0)
    }

    fn scan(&self, _: &Context) -> Box<dyn Scan> {
        Box::new(Nowhere(0))
    }
}

impl Scan for Nowhere {
    fn push(&mut self, text: &str, _: &mut Vec<Finding>) -> Result<()> {
        self.0 += text.len();
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<Finding>) -> Result<()> {
        Ok(())
    }

    fn decided(&self) -> usize {
        self.0
    }
}

fn idle() -> Pipeline {
    let group = || [(); 3].map(|()| Layer::new(Arc::new(Nothing)));
    Pipeline::new(Arc::new(SystemClock::new())).with_threads(1).with_group(group()).with_group(group())
}

fn pipeline() -> Pipeline {
    let put = |with: &str| Effect::Replace(with.into());
    let redaction = [
        Words::layer("email", &[r"\b[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,64}\.[A-Za-z]{2,12}\b"], put("<EMAIL>")),
        Words::layer("card", &[r"\b[0-9]{4}(?:[ -]?[0-9]{4}){3}\b", r"\b[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\b"], put("<NUMBER>")),
        Words::layer("secret", &[r"\bAKIA[0-9A-Z]{16}\b", r"\bghp_[A-Za-z0-9]{36}\b"], put("<SECRET>")),
    ];
    let judgement = [
        Words::layer("override", &[r"(?i)\bignore (?:all |the )?(?:previous|above) instructions\b"], Effect::Block),
        Words::layer("markup", &[r"(?i)<script\b", r"(?i)\bjavascript:"], Effect::Block),
        Words::layer("address", &[r"\bhttps?://[^\s<>]{1,200}"], Effect::Note),
    ];
    Pipeline::new(Arc::new(SystemClock::new())).with_threads(1).with_group(redaction).with_group(judgement)
}

const SENTENCES: [&str; 5] = [
    "The meeting of the committee was moved to Thursday, because two of its members are travelling. ",
    "Please write to ada.lovelace@example.org before noon, or see https://example.org/minutes for what was said. ",
    "Invoice 20391 was paid with the card 4111 1111 1111 1111 on the 3rd of May. ",
    "Une phrase en français, où les accents ne manquent pas à l’appel, et une autre en grec: Καλημέρα κόσμε. ",
    "Nothing in this sentence is of any interest to anybody who guards a model. ",
];

fn text(length: usize) -> String {
    let mut text: String = SENTENCES
        .iter()
        .cycle()
        .scan(0, |sum, next| {
            (*sum < length).then(|| {
                *sum += next.len();
                *next
            })
        })
        .collect();
    text.truncate(text.floor_char_boundary(length));
    text
}

fn output() -> Context {
    Context::new(Stage::Output)
}

fn in_pieces(pipeline: &Pipeline, text: &str, bytes: usize) -> String {
    let mut scan = pipeline.scan(&output());
    let (mut rest, mut released) = (text, String::new());
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(bytes.min(rest.len())));
        released.push_str(&scan.push(piece));
        rest = after;
    }
    released + &scan.finish().0
}

fn texts(criterion: &mut Criterion) {
    let (pipeline, idle) = (pipeline(), idle());
    println!("held back at most: {:?}", pipeline.reach(Stage::Output));
    for length in [1024, 32 * 1024] {
        let text = text(length);
        let whole = pipeline.check(&text, &output());
        assert!(whole.allowed && whole.text.contains("<EMAIL>") && !whole.text.contains("ada.lovelace"));
        assert_eq!(whole.text, in_pieces(&pipeline, &text, 4));
        let mut group = criterion.benchmark_group("six guards");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("whole", length), &text, |bencher, text| {
            bencher.iter(|| pipeline.check(black_box(text), &output()));
        });
        group.bench_with_input(BenchmarkId::new("pieces of 4 bytes", length), &text, |bencher, text| {
            bencher.iter(|| in_pieces(&pipeline, black_box(text), 4));
        });
        group.bench_with_input(BenchmarkId::new("pieces of 4 bytes, guards that do nothing", length), &text, |bencher, text| {
            bencher.iter(|| in_pieces(&idle, black_box(text), 4));
        });
        group.finish();
    }
}

fn threads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("threads");
    for length in [16 * 1024, 32 * 1024, 64 * 1024, 256 * 1024] {
        let text = text(length);
        for threads in [1, 2, 3] {
            let pipeline = pipeline().with_threads(threads);
            group.bench_with_input(BenchmarkId::new(threads.to_string(), length), &text, |bencher, text| {
                bencher.iter(|| pipeline.check(black_box(text), &output()));
            });
        }
    }
    group.finish();
}

/// Times against lengths: a rate that falls would show that a longer text costs more a byte.
fn lengths(_: &mut Criterion) {
    let full = std::env::args().any(|argument| argument == "--bench");
    let clock = SystemClock::new();
    for kib in [16, 64, 256, 1024, 4096, 10240].into_iter().take(if full { 6 } else { 2 }) {
        let text = text(kib * 1024);
        let timed = |run: &dyn Fn()| -> Duration {
            let times = (0..3).map(|_| {
                let start = clock.now();
                run();
                clock.now().saturating_sub(start)
            });
            times.min().unwrap_or_default()
        };
        let pipeline = pipeline();
        let whole = timed(&|| drop(black_box(pipeline.check(&text, &output()))));
        let pieces = timed(&|| drop(black_box(in_pieces(&pipeline, &text, 4))));
        let rate = |time: Duration| text.len() as f64 / time.as_secs_f64() / 1e6;
        println!(
            "{kib:>6} KiB: whole {whole:>10.2?} ({:.0} MB/s), pieces of 4 bytes {pieces:>10.2?} ({:.1} MB/s)",
            rate(whole),
            rate(pieces)
        );
    }
}

criterion_group!(benches, texts, threads, lengths);
criterion_main!(benches);
