//! What the guards against injection cost, by length and for hostile texts.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jarre_guardrails::{
    Context, Guard, Stage,
    injection::{IndirectConfig, IndirectGuard, InjectionConfig, InjectionGuard, Normal, features, views},
};

const PROSE: &str = "The museum opens at nine, and tickets are sold at the door. Please ignore the old plan of the house: the previous rooms \
    have been rebuilt. Visitors who forget their keys may ask the guide; she knows the system of locks and will show you the way out. ";

fn texts() -> Vec<(String, String)> {
    let of = |name: &str, part: &str, length: usize| (format!("{name} {} kB", length / 1000), part.repeat(length / part.len() + 1));
    let encoded = jarre_core::base64::encode(PROSE.repeat(100).as_bytes());
    vec![
        of("prose", PROSE, 1_000),
        of("prose", PROSE, 32_000),
        of("prose", PROSE, 1_000_000),
        of("prose", PROSE, 10_000_000),
        of("zero-width", "\u{200b}", 10_000_000),
        of("base64", &encoded, 10_000_000),
        of("escapes", "&amp;#105;", 1_000_000),
        of("spaced out", "a b c d  ", 1_000_000),
    ]
}

fn guards(criterion: &mut Criterion) {
    let direct = InjectionGuard::new(InjectionConfig::default()).expect("the model that comes with the crate can be read");
    let indirect = IndirectGuard::new(IndirectConfig::default()).expect("the model that comes with the crate can be read");
    let hook = features();
    let mut group = criterion.benchmark_group("injection");
    group.sample_size(10);
    for (name, text) in texts() {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(BenchmarkId::new("direct", &name), &text, |bencher, text| {
            bencher.iter(|| direct.check(text, &Context::new(Stage::Input)).expect("the guard reads any text"));
        });
        if text.len() < 100_000 {
            group.bench_with_input(BenchmarkId::new("indirect", &name), &text, |bencher, text| {
                bencher.iter(|| indirect.check(text, &Context::new(Stage::Context)).expect("the guard reads any text"));
            });
            group.bench_with_input(BenchmarkId::new("normal", &name), &text, |bencher, text| bencher.iter(|| Normal::of(text)));
            group.bench_with_input(BenchmarkId::new("views", &name), &text, |bencher, text| bencher.iter(|| views(text)));
            group.bench_with_input(BenchmarkId::new("patterns", &name), &text, |bencher, text| bencher.iter(|| hook.read(text)));
        }
    }
    group.finish();
}

criterion_group!(benches, guards);
criterion_main!(benches);
