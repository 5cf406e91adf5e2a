//! The bytes of tokens, put together, are the text that they were cut from: of every kind of vocabulary.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use jarre_transformer::{Error, Tokenizer};
use serde_json::{Value, json};

const TEXTS: [&str; 6] = [
    "Hello world, it is 12:30.",
    r#"{"name": "Zo\u00eb", "n": [1, -2.5e3, null],  "deep": {"a": true}}"#,
    "fn main() {\n    println!(\"{}\", 1 + 1);\n\t}\n\n",
    "naïve café — 東京 😀🇫🇷",
    " leading and trailing  ",
    "<0x41> <|endoftext| > ▁ Ġ ##ing",
];

fn bytes(tokenizer: &Tokenizer, text: &str) -> Option<Vec<u8>> {
    let ids = tokenizer.encode_plain(text).unwrap();
    ids.into_iter().map(|id| tokenizer.token_bytes(id)).collect::<Option<Vec<_>>>().map(|bytes| bytes.concat())
}

/// Texts whose tokens' bytes are the text itself, and those where only the beginning differs by the space that the tokenizer puts there.
fn kept(tokenizer: &Tokenizer) -> usize {
    let same = |text: &str| {
        bytes(tokenizer, text).is_some_and(|bytes| bytes == text.as_bytes() || bytes.strip_prefix(b" ") == Some(text.as_bytes()))
    };
    TEXTS.iter().filter(|text| same(text)).count()
}

fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/assets").join(name)
}

fn written(tokenizer: &Value) -> Tokenizer {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    Tokenizer::from_folder(folder.path()).unwrap()
}

#[test]
fn byte_level_vocabularies_keep_every_byte() {
    let tokenizer = Tokenizer::from_folder(asset("jarre-tiny")).unwrap();
    assert_eq!(kept(&tokenizer), TEXTS.len());
    assert_eq!(tokenizer.token_bytes(tokenizer.id("<|endoftext|>").unwrap()), None);
    assert_eq!(tokenizer.token_bytes(tokenizer.vocab_size() as u32), None);
    let all = (0..tokenizer.vocab_size() as u32).filter_map(|id| tokenizer.token_bytes(id));
    assert_eq!(all.filter(|bytes| bytes.len() == 1).collect::<std::collections::BTreeSet<_>>().len(), 256);
}

#[test]
fn pieces_of_words_have_a_space_before_them_unless_they_go_on() {
    let tokenizer = Tokenizer::from_folder(asset("all-minilm-l6-v2-int8")).unwrap();
    assert_eq!(bytes(&tokenizer, "Tokenizers  ARE").unwrap(), b" tokenizers are");
    for special in ["[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"] {
        assert_eq!(tokenizer.token_bytes(tokenizer.id(special).unwrap()), None, "{special}");
    }
}

/// A vocabulary of sentencepiece as `tokenizer.json` writes it, in the two ways that there are.
fn sentencepiece(metaspace: bool) -> Tokenizer {
    let mut vocab = serde_json::Map::new();
    let bytes = (0..=255u8).map(|byte| format!("<0x{byte:02X}>"));
    let names = ["<unk>", "<s>", "</s>", "<tool>"].map(str::to_owned).into_iter().chain(bytes);
    for (id, name) in names.chain(["▁", "a", "▁a", "b"].map(str::to_owned)).enumerate() {
        vocab.insert(name, id.into());
    }
    let added = |id: usize, content: &str, special: bool| json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": special});
    let space = json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "});
    let metaspace_step = json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false});
    let strip = json!({"type": "Strip", "content": " ", "start": 1, "stop": 0});
    let fallback = json!({"type": "ByteFallback"});
    let decoders = if metaspace { json!([fallback, metaspace_step]) } else { json!([space, fallback, {"type": "Fuse"}, strip]) };
    written(&json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [added(0, "<unk>", true), added(1, "<s>", true), added(2, "</s>", true), added(3, "<tool>", false)],
        "normalizer": if metaspace { Value::Null } else { json!({"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}) },
        "pre_tokenizer": if metaspace { metaspace_step.clone() } else { Value::Null },
        "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null, "end_of_word_suffix": null,
            "fuse_unk": true, "byte_fallback": true, "ignore_merges": false, "vocab": vocab, "merges": ["▁ a"]},
    }))
}

#[test]
fn bytes_of_sentencepiece_are_those_that_stand_in_for_letters() {
    for metaspace in [false, true] {
        let tokenizer = sentencepiece(metaspace);
        let of = |token: &str| tokenizer.token_bytes(tokenizer.id(token).unwrap());
        assert_eq!(of("<0x0A>"), Some(vec![b'\n']), "{metaspace}");
        assert_eq!(of("<0xE6>"), Some(vec![0xE6]), "{metaspace}");
        assert_eq!((of("▁"), of("▁a"), of("b")), (Some(b" ".into()), Some(b" a".into()), Some(b"b".into())), "{metaspace}");
        assert_eq!((of("<unk>"), of("</s>"), of("<tool>")), (None, None, Some(b"<tool>".into())), "{metaspace}");
        assert_eq!(bytes(&tokenizer, "aab a  東\n<tool>"), Some(" aab a  東\n<tool>".into()), "{metaspace}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the data lies where the caller says")]
fn data() -> PathBuf {
    std::env::var_os("JARRE_DATA").expect("JARRE_DATA names the folder with the data sets").into()
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn vocabularies_of_other_programs_keep_every_byte() {
    let stories = Tokenizer::from_llama2c(data().join("models/stories260k/tok512.bin")).unwrap();
    assert_eq!(kept(&stories), TEXTS.len(), "llama2c");
    assert_eq!(bytes(&stories, "Once 語\n").unwrap(), " Once 語\n".as_bytes());
    let mut read = 0;
    for entry in std::fs::read_dir(data().join("models/ggml_vocab/models")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "gguf") {
            continue;
        }
        let tokenizer = match Tokenizer::from_gguf(&path) {
            Ok(tokenizer) => tokenizer,
            Err(Error::Malformed { .. } | Error::Unsupported { .. }) => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        read += 1;
        let kept = kept(&tokenizer);
        println!("{}: {kept} of {} texts", path.display(), TEXTS.len());
        // WordPiece gives up spaces and capitals.
        assert!(kept == TEXTS.len() || path.to_string_lossy().contains("bert"), "{}: {kept}", path.display());
    }
    println!("{read} vocabularies");
}
