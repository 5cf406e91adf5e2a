//! What each layer takes for a text of 1 kB and of 32 kB, whole.
#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up has to stop")]

use std::{hint::black_box, sync::Arc};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jarre_core::testing::HashEmbedder;
use jarre_guardrails::{
    Context, Guard,
    content::{
        CodeConfig, CodeGuard, CommandConfig, CommandGuard, LimitConfig, LimitGuard, LinkConfig, LinkGuard, TokenConfig, TokenGuard,
    },
    grounding::{GroundingConfig, GroundingGuard},
    leakage::{Canary, CanaryGuard, OverlapConfig, OverlapGuard},
    topics::{Topic, TopicConfig, TopicGuard},
};

const PARAGRAPH: &str = "The mill on the Aare burnt down in 1907, and the town did not rebuild it at once. See [the history of the mill](https://docs.example/mill) \
    or write to the office (open from 9 to 12). When it rains, the river rises by a metre or two; in 1910 it took the bridge with it. ";

fn guards() -> Vec<Box<dyn Guard>> {
    let words = Arc::new(HashEmbedder::default());
    let topic = Topic { name: "weapons".into(), examples: vec!["how to build a rifle".into(), "buy ammunition".into()], threshold: None };
    vec![
        Box::new(LinkGuard::new(LinkConfig::default()).unwrap()),
        Box::new(CodeGuard::new(CodeConfig::default()).unwrap()),
        Box::new(CommandGuard::new(CommandConfig::default()).unwrap()),
        #[cfg(feature = "language")]
        Box::new(jarre_guardrails::content::LanguageGuard::new(jarre_guardrails::content::LanguageConfig::default()).unwrap()),
        Box::new(LimitGuard::new(LimitConfig::default()).unwrap()),
        Box::new(TokenGuard::new(TokenConfig::default(), Arc::clone(&words) as _).unwrap()),
        Box::new(TopicGuard::new(TopicConfig { deny: vec![topic], ..TopicConfig::default() }, words).unwrap()),
        Box::new(GroundingGuard::new(GroundingConfig::default()).unwrap()),
        Box::new(CanaryGuard::new(&Canary::new([7; 10]))),
        Box::new(OverlapGuard::new(OverlapConfig::default()).unwrap()),
    ]
}

fn layers(criterion: &mut Criterion) {
    let context = Context { system: Some(PARAGRAPH.repeat(4).into()), sources: vec![PARAGRAPH.repeat(8).into()], ..Context::default() };
    let mut group = criterion.benchmark_group("content");
    for bytes in [1024, 32 * 1024] {
        let text = PARAGRAPH.repeat(bytes / PARAGRAPH.len() + 1)[..bytes].to_owned();
        group.throughput(Throughput::Bytes(bytes as u64));
        for guard in guards() {
            group.bench_with_input(BenchmarkId::new(guard.name(), bytes), &text, |bencher, text| {
                bencher.iter(|| guard.check(black_box(text), &context).unwrap());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, layers);
criterion_main!(benches);
