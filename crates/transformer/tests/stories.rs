//! The 260 thousand parameters of llama2.c's smallest model, which tells the same story everywhere.
use std::path::PathBuf;

use burn::tensor::Device;
use jarre_transformer::{CausalModel, Sequences, Tokenizer};

#[expect(clippy::disallowed_methods, reason = "a test may be told where the data is")]
fn stories() -> PathBuf {
    let data = std::env::var_os("JARRE_DATA").expect("JARRE_DATA names the folder with the data sets");
    PathBuf::from(data).join("models/stories260k")
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn two_hundred_greedy_tokens_are_the_golden_ones() {
    let device = Device::default();
    let model = CausalModel::from_llama2c(stories().join("stories260K.bin"), &device).unwrap();
    let tokenizer = Tokenizer::from_llama2c(stories().join("tok512.bin")).unwrap();
    let mut cache = model.decoder().new_cache(1, 256);
    let mut ids = vec![model.bos().unwrap()];
    for step in 0..200 {
        let logits = model.decoder().forward_cached(&Sequences::right_padded(&[&ids[step..]], 0), &mut cache);
        ids.push(logits.argmax(1).into_scalar::<i64>() as u32);
    }
    let golden = std::fs::read_to_string(stories().join("golden_greedy.txt")).unwrap();
    assert_eq!(tokenizer.decode(&ids).unwrap().trim(), golden.trim());
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn text_survives_the_vocabulary() {
    let tokenizer = Tokenizer::from_llama2c(stories().join("tok512.bin")).unwrap();
    for text in ["Once upon a time", "  two  spaces ", "", "na\u{ef}ve \u{1f600}\n\ttab", "<s>"] {
        let ids = tokenizer.encode_plain(text).unwrap();
        assert!(ids.iter().all(|&id| id < 512), "{text:?}");
        if text != "<s>" {
            assert_eq!(tokenizer.decode(&ids).unwrap(), text);
        }
    }
    assert_eq!(tokenizer.encode_plain("Once upon a time").unwrap(), [403, 407, 261, 378]);
}
