//! What a guard adds to a text: personal data and secrets, for a text that comes whole and one that comes in pieces of a token's length.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jarre_guardrails::{
    Context, Guard,
    pii::{Kind, PiiConfig, PiiGuard},
    secrets::{SecretsConfig, SecretsGuard},
};

/// Prose, a log and code in turn, with some of what is looked for.
const TEXT: &str = "Thank you for your letter of 12 March. We have looked into order 4711-0815 and found that version 2.3.1 was sent on Monday.\n\
    2024-05-06T07:08:09Z INFO request id=550e8400-e29b-41d4-a716-446655440000 took 12.5 ms from 10.0.0.7, user ada@example.org\n\
    let total: u64 = items.iter().map(|item| item.price * item.count).sum(); // see https://example.org/docs/prices?page=2#totals\n\
    Please call +44 20 7946 0958 or write to The Editor, and mention commit 3f786850e387550fdab836ed7e6dc881de23001b.\n";

/// A token's length or so.
const PIECE: usize = 4;

fn guards() -> Vec<(&'static str, Box<dyn Guard>)> {
    let all = PiiConfig { kinds: Kind::ALL.iter().copied().collect(), ..PiiConfig::default() };
    vec![
        ("pii", Box::new(PiiGuard::new(PiiConfig::default()).expect("the default is valid"))),
        ("pii and names", Box::new(PiiGuard::new(all).expect("all kinds are valid"))),
        ("secrets", Box::new(SecretsGuard::new(SecretsConfig::default()).expect("the default is valid"))),
    ]
}

fn whole(criterion: &mut Criterion) {
    for (name, guard) in guards() {
        let mut group = criterion.benchmark_group(name);
        for kilobytes in [1, 32] {
            let text: String = TEXT.chars().cycle().take(kilobytes * 1024).collect();
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_with_input(BenchmarkId::new("whole", format!("{kilobytes} kB")), &text, |bencher, text| {
                bencher.iter(|| guard.check(black_box(text), &Context::default()).expect("patterns read any text"));
            });
        }
        let text: String = TEXT.chars().cycle().take(1024).collect();
        group.bench_with_input(BenchmarkId::new("in pieces", "1 kB"), &text, |bencher, text| {
            bencher.iter(|| {
                let (mut scan, mut found) = (guard.scan(&Context::default()), Vec::new());
                for piece in text.as_bytes().chunks(PIECE) {
                    scan.push(str::from_utf8(piece).expect("the text is ASCII"), &mut found).expect("patterns read any text");
                }
                scan.finish(&mut found).expect("patterns read any text");
                found
            });
        });
        group.finish();
    }
}

fn building(criterion: &mut Criterion) {
    criterion.bench_function("build pii", |bencher| bencher.iter(|| PiiGuard::new(PiiConfig::default())));
    criterion.bench_function("build secrets", |bencher| bencher.iter(|| SecretsGuard::new(SecretsConfig::default())));
}

criterion_group!(benches, whole, building);
criterion_main!(benches);
