//! The sentence encoder on the texts that `peers/encoder_peers.py` runs torch and ONNX Runtime on.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jarre_core::Embedder;
use jarre_transformer::{Device, SentenceEncoder};

/// Ten words of one token each; eleven times, with [CLS] and [SEP], they make 112 tokens.
const WORDS: &str = "river stone copper window engine garden letter winter signal harbour ";
const QUERY: &str = "where is the museum of the old city harbour bridge";
const SENTENCES: usize = 64;

fn encoder(criterion: &mut Criterion) {
    let encoder = load();
    assert_parity(&encoder, 0.999);
    let text = WORDS.repeat(11);
    assert_eq!(encoder.tokenizer().encode(&text).expect("the text can be tokenised").len(), 112);
    let texts = vec![text.as_str(); SENTENCES];

    let mut group = criterion.benchmark_group("encoder");
    group.sample_size(10);
    group.throughput(Throughput::Elements(SENTENCES as u64));
    group.bench_function("64 texts of 112 tokens", |bencher| bencher.iter(|| encoder.embed(black_box(&texts))));
    let packed = load().packed();
    assert_parity(&packed, 0.995);
    group.bench_function("64 texts of 112 tokens, W8A8", |bencher| bencher.iter(|| packed.embed(black_box(&texts))));
    group.throughput(Throughput::Elements(1));
    group.bench_function("one query of 12 tokens", |bencher| bencher.iter(|| encoder.embed(black_box(&[QUERY]))));
    group.bench_function("one query of 12 tokens, W8A8", |bencher| bencher.iter(|| packed.embed(black_box(&[QUERY]))));
    group.bench_function("load", |bencher| bencher.iter(load));
    group.finish();
}

fn load() -> SentenceEncoder {
    SentenceEncoder::from_folder(root().join("examples/assets/all-minilm-l6-v2-int8"), &Device::flex())
        .expect("the folder of the int8 encoder is in the repository")
}

/// Compares with the float32 vectors of sentence-transformers, so that nothing wrong is timed.
fn assert_parity(encoder: &SentenceEncoder, least: f32) {
    let golden = root().join("crates/transformer/tests/golden");
    let texts: Vec<String> = serde_json::from_slice(&read(&golden.join("texts.json"))).expect("texts.json is a list of texts");
    let file = read(&golden.join("minilm_f32.safetensors"));
    let tensors = safetensors::SafeTensors::deserialize(&file).expect("the golden vectors are safetensors");
    let expected: Vec<f32> = tensors
        .tensor("vectors")
        .expect("they are named `vectors`")
        .data()
        .as_chunks::<4>()
        .0
        .iter()
        .copied()
        .map(f32::from_le_bytes)
        .collect();
    let vectors = encoder.embed(&texts.iter().map(String::as_str).collect::<Vec<_>>()).expect("the texts can be embedded");
    let cosines = vectors.rows().zip(expected.chunks_exact(vectors.dims())).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>());
    let mean = cosines.sum::<f32>() / vectors.len() as f32;
    assert!(mean >= least, "mean cosine to the float32 vectors is {mean}");
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

criterion_group!(benches, encoder);
criterion_main!(benches);
