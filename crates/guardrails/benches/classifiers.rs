//! What a small classifier takes for texts of three sizes: the one for moderation, with its hook.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jarre_guardrails::moderation::model;

/// Sentences as people write them, over and over with other numbers, so that the n-grams are not all the same.
fn text(bytes: usize) -> String {
    let sentence = |at: usize| {
        let name = ["Mara", "Jonas", "the clerk", "my sister", "nobody", "the old teacher"][at % 6];
        let act = ["wrote a long letter", "missed the last train", "asked for a refund", "fixed the leaking roof", "planted beans"][at % 5];
        let place =
            ["in Ghent", "behind the station", "on a rainy morning", "at the county fair", "near the harbour", "upstairs", "by mistake"]
                [at % 7];
        format!("{name} {act} {place}, and {} people saw it {}. ", at * 7919 % 1000, ["happen", "coming", "twice"][at % 3])
    };
    let mut text = String::new();
    for at in 0.. {
        if text.len() >= bytes {
            break;
        }
        text += &sentence(at);
    }
    text.truncate(bytes);
    text
}

fn moderation(criterion: &mut Criterion) {
    let model = model();
    let mut group = criterion.benchmark_group("moderation");
    for kilobytes in [1, 32, 1024] {
        let text = text(kilobytes * 1024);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(format!("{kilobytes} kB")), &text, |bencher, text| {
            bencher.iter(|| model.score(black_box(text)));
        });
    }
    group.finish();
}

criterion_group!(benches, moderation);
criterion_main!(benches);
