//! Vocabularies of llama.cpp against the tokenisations that come with them: `JARRE_GGML_VOCAB=FOLDER cargo test --test ggml_vocab -- --ignored
//! --nocapture`, or the folder `models/ggml_vocab/models` of `JARRE_DATA`.

use std::path::{Path, PathBuf};

use jarre_transformer::{Error, Tokenizer};

const BETWEEN: &str = "\n__ggml_vocab_test__\n";

#[expect(clippy::disallowed_methods, reason = "the data lies where the caller says")]
fn folder() -> PathBuf {
    let named = std::env::var_os("JARRE_GGML_VOCAB").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(&std::env::var_os("JARRE_DATA").expect("JARRE_DATA names the data")).join("models/ggml_vocab/models"))
}

/// Texts and their ids.
fn pairs(vocabulary: &Path) -> Vec<(String, Vec<u32>)> {
    let read = |end: &str| std::fs::read_to_string(format!("{}.{end}", vocabulary.display())).expect("the pairs lie beside the vocabulary");
    let (texts, ids) = (read("inp"), read("out"));
    let ids = ids.lines().map(|line| line.split_whitespace().map(|id| id.parse().expect("an id")).collect());
    texts.split(BETWEEN).map(str::to_owned).zip(ids).collect()
}

#[test]
#[ignore = "needs JARRE_DATA or JARRE_GGML_VOCAB"]
fn texts_become_the_tokens_of_llama_cpp() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()).expect("the folder is there").map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension().is_some_and(|extension| extension == "gguf") && Path::new(&format!("{}.inp", path.display())).exists()
    });
    files.sort();
    assert!(!files.is_empty(), "no vocabulary in {}", folder().display());
    let mut wrong = Vec::new();
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let tokenizer = match Tokenizer::from_gguf(path) {
            Ok(tokenizer) => tokenizer,
            // Some copies of these files hold replacement characters where bytes were.
            Err(error @ (Error::Malformed { .. } | Error::Unsupported { .. })) => {
                println!("{name}: not read: {error}");
                continue;
            }
            Err(error) => panic!("{name}: {error}"),
        };
        let pairs = pairs(path);
        let failed: Vec<_> = pairs.iter().filter(|(text, ids)| tokenizer.encode_plain(text).unwrap() != *ids).collect();
        println!("{name}: {} of {} texts", pairs.len() - failed.len(), pairs.len());
        for (text, ids) in failed {
            println!("  {text:?}\n    {:?}\n    {ids:?}", tokenizer.encode_plain(text).unwrap());
            wrong.push(name.clone());
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
