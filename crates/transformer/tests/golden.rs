//! all-MiniLM-L6-v2 beside the vectors that sentence-transformers computes in float32 (`golden/make_golden.py`).
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use jarre_core::{Embedder, TokenCounter};
use jarre_transformer::SentenceEncoder;

struct Golden {
    texts: Vec<String>,
    vectors: Vec<Vec<f32>>,
}

impl Golden {
    fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let texts: Vec<String> = serde_json::from_slice(&std::fs::read(folder.join("texts.json")).unwrap()).unwrap();
        let bytes = std::fs::read(folder.join("minilm_f32.safetensors")).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let view = file.tensor("vectors").unwrap();
        assert_eq!(view.shape(), [texts.len(), 384]);
        let row = |bytes: &[u8]| bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
        Self { texts, vectors: view.data().chunks_exact(4 * 384).map(row).collect() }
    }

    fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }

    /// The cosines to `vectors`: their mean and the smallest.
    fn cosines(&self, vectors: &[Vec<f32>]) -> [f32; 2] {
        let cosine = |(a, b): (&Vec<f32>, &Vec<f32>)| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let cosines: Vec<f32> = self.vectors.iter().zip(vectors).map(cosine).collect();
        [cosines.iter().sum::<f32>() / cosines.len() as f32, cosines.iter().copied().fold(1.0, f32::min)]
    }

    /// The largest absolute difference over all texts, and the text that has it.
    fn worst(&self, vectors: &[Vec<f32>]) -> (f32, &str) {
        let difference = |(a, b): (&Vec<f32>, &Vec<f32>)| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let worst = self.vectors.iter().zip(vectors).map(difference).zip(&self.texts).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        (worst.0, worst.1)
    }
}

fn int8_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/assets/all-minilm-l6-v2-int8")
}

fn rows(encoder: &SentenceEncoder, texts: &[&str]) -> Vec<Vec<f32>> {
    encoder.embed(texts).unwrap().rows().map(<[f32]>::to_vec).collect()
}

#[expect(clippy::disallowed_methods, reason = "test data is found through the environment")]
fn float32_folder() -> PathBuf {
    std::env::var_os("JARRE_MINILM").expect("JARRE_MINILM names the float32 folder of all-MiniLM-L6-v2").into()
}

/// The float32 model on `device`, all texts at once and one by one.
fn assert_parity(device: &Device) {
    let folder = float32_folder();
    let golden = Golden::read();
    let encoder = SentenceEncoder::from_folder(folder, device).unwrap();
    assert_eq!(encoder.info().max_tokens, 256);
    let together = rows(&encoder, &golden.texts());
    let singly: Vec<Vec<f32>> = golden.texts().iter().flat_map(|text| rows(&encoder, &[text])).collect();
    for vectors in [together, singly] {
        let (worst, text) = golden.worst(&vectors);
        assert!(worst < 1e-4, "differs by {worst} on {text:?}");
    }
}

#[test]
#[ignore = "needs JARRE_MINILM"]
fn float32_agrees_with_sentence_transformers() {
    assert_parity(&Device::flex());
}

#[cfg(feature = "ndarray")]
#[test]
#[ignore = "needs JARRE_MINILM"]
fn float32_agrees_with_sentence_transformers_on_ndarray() {
    #[expect(deprecated, reason = "users name this backend")]
    assert_parity(&Device::ndarray());
}

#[test]
fn eight_bits_stay_close_to_float32() {
    let golden = Golden::read();
    let encoder = SentenceEncoder::from_folder(int8_folder(), &Device::flex()).unwrap();
    let [mean, min] = golden.cosines(&rows(&encoder, &golden.texts()));
    assert!(mean >= 0.999 && min >= 0.995, "mean {mean}, min {min}");
    let bytes: u64 = files(&int8_folder()).iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!(bytes < 24_000_000, "{bytes} bytes");
}

#[test]
fn arithmetic_in_eight_bits_stays_close_to_float32() {
    let golden = Golden::read();
    let float = SentenceEncoder::from_folder(int8_folder(), &Device::flex()).unwrap();
    let name = float.info().fingerprint.clone();
    let packed = float.packed();
    let [mean, min] = golden.cosines(&rows(&packed, &golden.texts()));
    println!("W8A8: cosine {mean} in the mean, {min} at least");
    assert!(mean >= 0.995 && min >= 0.97, "mean {mean}, min {min}");
    assert_ne!(packed.info().fingerprint, name, "vectors of another arithmetic are others");
}

#[cfg(feature = "ndarray")]
#[test]
fn ndarray_and_flex_agree() {
    let golden = Golden::read();
    let texts: Vec<&str> = golden.texts().into_iter().step_by(3).collect();
    let on = |device: &Device| rows(&SentenceEncoder::from_folder(int8_folder(), device).unwrap(), &texts).concat();
    let flex = on(&Device::flex());
    #[expect(deprecated, reason = "users name this backend")]
    let ndarray = on(&Device::ndarray());
    let worst = flex.iter().zip(&ndarray).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-5, "{worst}");
}

#[test]
fn a_text_has_the_same_vector_alone_and_in_any_batch() {
    let golden = Golden::read();
    let encoder = SentenceEncoder::from_folder(int8_folder(), &Device::flex()).unwrap();
    let mut texts = golden.texts();
    let forward = rows(&encoder, &texts);
    texts.reverse();
    let mut backward = rows(&encoder, &texts);
    backward.reverse();
    let singly: Vec<Vec<f32>> = golden.texts().iter().flat_map(|text| rows(&encoder, &[text])).collect();
    for other in [backward, singly] {
        let worst = forward.iter().flatten().zip(other.iter().flatten()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "{worst}");
    }
}

#[test]
fn no_texts_give_no_rows() {
    let encoder = SentenceEncoder::from_folder(int8_folder(), &Device::flex()).unwrap();
    assert!(encoder.embed(&[]).unwrap().is_empty());
}

#[test]
fn token_spans_are_in_order_and_inside_the_text() {
    let golden = Golden::read();
    let encoder = SentenceEncoder::from_folder(int8_folder(), &Device::flex()).unwrap();
    for text in golden.texts() {
        let spans = encoder.token_spans(text);
        assert!(spans.windows(2).all(|pair| pair[0].start <= pair[1].start), "{text:?}");
        assert!(spans.iter().all(|span| !span.is_empty() && text.get(span.clone()).is_some()), "{text:?}");
    }
    assert_eq!(encoder.count_tokens("Where is the Eiffel Tower?"), 8);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
