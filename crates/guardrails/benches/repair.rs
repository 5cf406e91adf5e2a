//! Broken JSON read by us and by two peers: the share of `tests/repair_corpus.txt` that each reads as it was meant, and the time for all of
//! it and for a document of a megabyte. `benches/peers/repair_peers.py` holds Python's `json_repair` to the same lines.
//!
//! `cargo bench -p jarre-guardrails --bench repair`

#![expect(clippy::print_stdout, reason = "a program")]

use std::{hint::black_box, thread};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jarre_guardrails::json::{Recovery, RepairConfig, repair};
use serde::Deserialize;
use serde_json::{Value, json};

/// A line of the corpus. Those with a schema are for [`Recovery`] alone: no peer here takes one.
#[derive(Deserialize)]
struct Line {
    broken: String,
    expected: Option<Value>,
    schema: Option<Value>,
}

type Reader = fn(&str) -> Option<Value>;

const READERS: [(&str, Reader); 4] =
    [("jarre", ours), ("jsonrepair", jsonrepair), ("jsonrepair-rs", jsonrepair_rs), ("serde_json", |text| serde_json::from_str(text).ok())];

fn ours(text: &str) -> Option<Value> {
    Recovery::default().recover(text, None).ok().map(|recovered| recovered.value)
}

fn jsonrepair(text: &str) -> Option<Value> {
    serde_json::from_str(&jsonrepair::repair_to_string(text, &jsonrepair::Options::default()).ok()?).ok()
}

fn jsonrepair_rs(text: &str) -> Option<Value> {
    serde_json::from_str(&jsonrepair_rs::jsonrepair(text).ok()?).ok()
}

/// What a reader makes of a text; nothing where it panics.
fn read(reader: Reader, text: &str) -> Option<Value> {
    let text = text.to_owned();
    thread::spawn(move || reader(&text)).join().unwrap_or_default()
}

fn corpus() -> Vec<Line> {
    let lines = include_str!("../tests/repair_corpus.txt").lines();
    lines.map(|line| serde_json::from_str(line).expect("a line of the corpus")).filter(|line: &Line| line.schema.is_none()).collect()
}

/// The 95 % interval of a share (Wilson, 1927).
fn interval(hits: usize, all: usize) -> (f64, f64) {
    let (share, all, z) = (hits as f64 / all as f64, all as f64, 1.96_f64);
    let middle = share + z * z / (2.0 * all);
    let spread = z * (share * (1.0 - share) / all + z * z / (4.0 * all * all)).sqrt();
    let scale = 1.0 + z * z / all;
    ((middle - spread) / scale, (middle + spread) / scale)
}

fn shares(lines: &[Line]) {
    println!("| reader | read as meant | 95 % | refused as meant | 95 % |\n| --- | --- | --- | --- | --- |");
    for (name, reader) in READERS {
        let (mut right, mut refused, mut readable) = (0, 0, 0);
        for line in lines {
            let found = read(reader, &line.broken);
            readable += usize::from(line.expected.is_some());
            right += usize::from(line.expected.is_some() && found == line.expected);
            refused += usize::from(line.expected.is_none() && found.is_none());
        }
        let doubtful = lines.len() - readable;
        let (low, high) = interval(right, readable);
        let (least, most) = interval(refused, doubtful);
        println!("| {name} | {right}/{readable} | {low:.3} to {high:.3} | {refused}/{doubtful} | {least:.3} to {most:.3} |");
    }
}

/// A document of about a megabyte as Python would print it.
fn long() -> String {
    let row = |id: usize| format!("{{'id': {id}, 'name': 'row {id}, it\\'s one', 'tags': ['a', 'b',], 'ok': True, 'none': None}}");
    format!("[{}]", (0..12_000).map(row).collect::<Vec<_>>().join(",\n "))
}

fn bench(criterion: &mut Criterion) {
    let lines = corpus();
    shares(&lines);
    let mut group = criterion.benchmark_group("corpus");
    group.throughput(Throughput::Elements(lines.len() as u64));
    for (name, reader) in &READERS[..3] {
        // A peer that panics on a line is timed on the others.
        let texts: Vec<&str> = lines.iter().map(|line| &*line.broken).filter(|text| panics_not(*reader, text)).collect();
        group.bench_function(*name, |bencher| bencher.iter(|| texts.iter().filter_map(|text| reader(black_box(text))).count()));
    }
    group.finish();

    let text = long();
    let document = repair(&text, &RepairConfig { fixes: usize::MAX, ..RepairConfig::default() }).expect("rows").value;
    assert_eq!(document[11_999]["name"], json!("row 11999, it's one"));
    let valid = document.to_string();
    let mut group = criterion.benchmark_group("megabyte");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("jarre", |bencher| {
        bencher.iter(|| repair(black_box(&text), &RepairConfig { fixes: usize::MAX, ..RepairConfig::default() }));
    });
    group.bench_function("jarre, valid", |bencher| bencher.iter(|| Recovery::default().recover(black_box(&valid), None)));
    group.bench_function("jsonrepair", |bencher| bencher.iter(|| jsonrepair(black_box(&text))));
    group.bench_function("jsonrepair-rs", |bencher| bencher.iter(|| jsonrepair_rs(black_box(&text))));
    group.finish();
}

fn panics_not(reader: Reader, text: &str) -> bool {
    let text = text.to_owned();
    thread::spawn(move || reader(&text)).join().is_ok()
}

criterion_group!(benches, bench);
criterion_main!(benches);
