//! Exact dense search over 10,000 and 100,000 chunks of 384 dimensions, held to a plain loop before it is timed.
//!
//! `cargo bench -p benches --bench dense_search`

use std::{collections::BTreeMap, hint::black_box};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jarre_core::{EmbedderInfo, Embeddings};
use jarre_rag::{
    Chunk, ChunkId, DocId, Document, Format, Span,
    index::{Index, IndexConfig, Snapshot},
};

const DIMS: usize = 384;
const CHUNKS_A_DOCUMENT: usize = 1000;
const K: usize = 10;

fn dense_search(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dense_search");
    for chunks in [10_000, 100_000] {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let snapshot = index(dir.path(), chunks);
        let query = vector(u64::MAX);
        assert_parity(&snapshot, &query);
        group.throughput(Throughput::Bytes((chunks * DIMS * size_of::<f32>()) as u64));
        group.bench_function(BenchmarkId::new("simd", chunks), |bencher| {
            bencher.iter(|| snapshot.dense(black_box(&query), K, None).expect("a search"));
        });
        group.bench_function(BenchmarkId::new("plain loop", chunks), |bencher| {
            bencher.iter(|| plain(&snapshot, black_box(&query)));
        });
    }
    group.finish();
}

/// The same chunks in the same order, with the same scores within rounding.
fn assert_parity(snapshot: &Snapshot, query: &[f32]) {
    let hits = snapshot.dense(query, K, None).expect("a search");
    let expected = plain(snapshot, query);
    for (hit, (score, chunk)) in hits.iter().zip(&expected) {
        assert!((hit.score - score).abs() < 1e-5, "{hit:?}: {score} by the plain loop");
        assert!(hit.chunk == **chunk, "{hit:?} where the plain loop finds {chunk}");
    }
    assert_eq!(hits.len(), expected.len());
}

/// One multiplication after another, and a sort.
fn plain<'a>(snapshot: &'a Snapshot, query: &[f32]) -> Vec<(f32, &'a ChunkId)> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let length = dot(query, query).sqrt();
    let score = |row: &[f32]| dot(row, query) / (dot(row, row).sqrt() * length);
    let vector = |id: &ChunkId| snapshot.vector(id).expect("every chunk has a vector");
    let mut scores: Vec<(f32, &ChunkId)> = snapshot.chunks().map(|(_, chunk)| (score(vector(&chunk.id)), &chunk.id)).collect();
    scores.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scores.truncate(K);
    scores
}

fn index(dir: &std::path::Path, chunks: usize) -> Snapshot {
    let encoder = EmbedderInfo { name: "numbers".into(), dims: DIMS, max_tokens: 1, fingerprint: "numbers-1".into() };
    let index = Index::open_or_create(dir, IndexConfig { encoder, chunker: "words".into() }).expect("a new index");
    let mut writer = index.writer().expect("the only writer");
    for number in 0..chunks / CHUNKS_A_DOCUMENT {
        let (document, pieces) = document(number);
        let rows = (0..CHUNKS_A_DOCUMENT).flat_map(|row| vector((number * CHUNKS_A_DOCUMENT + row) as u64));
        let vectors = Embeddings::new(DIMS, rows.collect()).expect("whole rows");
        writer.put(&document, &pieces, &vectors).expect("a sound document");
    }
    writer.commit().expect("a commit")
}

fn document(number: usize) -> (Document, Vec<Chunk>) {
    let id = DocId(format!("{number:04}"));
    let chunk = |ordinal: usize| Chunk {
        id: ChunkId { doc: id.clone(), ordinal: ordinal as u32 },
        span: Span::new(2 * ordinal, 2 * ordinal + 1),
        headings: Vec::new(),
        page: None,
        tokens: 1,
    };
    let chunks = (0..CHUNKS_A_DOCUMENT).map(chunk).collect();
    let document = Document {
        id,
        source: String::new(),
        title: None,
        language: None,
        format: Format::Text,
        content_hash: String::new(),
        text: "x ".repeat(CHUNKS_A_DOCUMENT),
        blocks: Vec::new(),
        metadata: BTreeMap::new(),
    };
    (document, chunks)
}

/// A vector of values between -1 and 1 that depend on `seed` alone (splitmix64).
fn vector(seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(DIMS as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / 8_388_608.0 - 1.0
    };
    (0..DIMS).map(|_| next()).collect()
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = dense_search
}
criterion_main!(benches);
