//! The small model that ships with the repository.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jarre_transformer::generate::{SamplingParams, StopCriteria, generate, perplexity};
use jarre_transformer::{CausalModel, Device, Tokenizer};

/// Technical English that was written for this test.
const TEXT: &str = "To install the package, run the following command in the root of the repository. The configuration file is read when \
                    the server starts; if a value is not set, the default is used. See the documentation for a list of all options.";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/assets/jarre-tiny")
}

fn load() -> (CausalModel, Tokenizer) {
    (CausalModel::from_folder(folder(), &Device::flex()).unwrap(), Tokenizer::from_folder(folder()).unwrap())
}

#[test]
fn it_knows_text_from_the_same_words_in_disorder() {
    let (model, tokenizer) = load();
    let ids = tokenizer.encode_plain(TEXT).unwrap();
    let mut turned = ids.clone();
    turned.reverse();
    let of = |ids: &[u32]| perplexity(&model, ids, 256, 128).unwrap().value;
    let (text, disorder) = (of(&ids), of(&turned));
    println!("perplexity {text:.1} of the text, {disorder:.0} of its reverse");
    assert!(text < 60.0 && disorder > 10.0 * text, "{text} and {disorder}");
}

#[test]
fn it_is_small_and_goes_on_with_a_prompt() {
    let bytes: u64 = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 14_000_000, "{bytes} bytes");
    let (model, tokenizer) = load();
    let prompt = tokenizer.encode_plain("To install the").unwrap();
    let criteria = StopCriteria::new(16).with_eos_token_ids(model.eos().iter().copied());
    let write = || {
        let mut ids = Vec::new();
        generate(&model, &prompt, &SamplingParams::greedy(), &criteria, &mut |sampled| {
            ids.push(sampled.id);
            ControlFlow::Continue(())
        })
        .unwrap();
        tokenizer.decode(&ids).unwrap()
    };
    let text = write();
    println!("To install the{text}");
    assert!(text.split_whitespace().count() > 3, "{text:?}");
    assert_eq!(text, write());
}
