//! Corpora on real text, and builds that are killed.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use jarre_transformer::corpus::{
    BatchConfig, BpeConfig, CharacterConfig, Corpus, CorpusConfig, DocumentSource, IGNORED_TARGET, Order, Split, TextTokenizer, TokenStream,
};

#[expect(clippy::disallowed_methods, reason = "tests find the data by its variable")]
fn data(path: &str) -> PathBuf {
    let data = env::var_os("JARRE_DATA").expect("JARRE_DATA names the folder of test data");
    Path::new(&data).join("text").join(path)
}

fn tokens(stream: &TokenStream) -> Vec<u32> {
    let mut tokens = vec![0; stream.len() as usize];
    stream.read(0, &mut tokens).unwrap();
    tokens
}

/// nanoGPT's `data/shakespeare_char/prepare.py` prints these counts; its ids are the places of the characters in `sorted(set(text))`.
#[test]
#[ignore = "needs JARRE_DATA"]
fn tinyshakespeare_by_characters_is_nanogpts() {
    let path = data("tinyshakespeare/input.txt");
    let text = fs::read_to_string(&path).unwrap();
    let source = DocumentSource::new([path]);
    let tokenizer = CharacterConfig::new().build(source.documents().unwrap()).unwrap();
    assert_eq!((text.chars().count(), tokenizer.vocab_size()), (1_115_394, 65));

    let folder = tempfile::tempdir().unwrap();
    let config = CorpusConfig::new(Split::by_position(0.1).unwrap());
    let corpus = Corpus::build(&source, &tokenizer, &config, folder.path(), &mut |_| {}).unwrap();
    assert_eq!((corpus.train().len(), corpus.validation().len()), (1_003_854, 111_540));

    let mut characters: Vec<char> = text.chars().collect();
    let ids = [tokens(corpus.train()), tokens(corpus.validation())].concat();
    let by_id: std::collections::BTreeSet<char> = characters.iter().copied().collect();
    let by_id: Vec<char> = by_id.into_iter().collect();
    characters.truncate(ids.len());
    assert!(ids.iter().map(|id| by_id[*id as usize]).eq(characters));
    assert_eq!(tokenizer.encode("First Citizen").unwrap(), [18, 47, 56, 57, 58, 1, 15, 47, 58, 47, 64, 43, 52]);

    let batches = BatchConfig::new(12, 64).with_order(Order::RandomWindows).with_seed(1337).init(corpus.train().clone()).unwrap();
    let batch = batches.batch(1999).unwrap();
    for row in 0..12 {
        let (inputs, targets) = (&batch.inputs[row * 64..(row + 1) * 64], &batch.targets[row * 64..(row + 1) * 64]);
        assert_eq!(inputs[1..], targets[..63]);
        assert!(text.contains(&tokenizer.decode(inputs).unwrap()));
    }
}

#[test]
#[ignore = "needs JARRE_DATA"]
fn technical_documents_come_back_from_a_corpus_token_for_token() {
    let source = DocumentSource::new([data("tech_docs.jsonl.gz")]);
    let documents: Vec<String> = source.documents().unwrap().map(|document| document.unwrap().text).collect();
    assert_eq!(documents.len(), 3058);

    let sample = documents.iter().step_by(10).map(Ok);
    let tokenizer = BpeConfig::new(2000).with_special_tokens(["<|endoftext|>"]).train(sample, &mut |_| {}).unwrap();
    assert_eq!(tokenizer.vocab_size(), 2000);

    let folder = tempfile::tempdir().unwrap();
    let split = Split::by_document(0.05).unwrap();
    let config = CorpusConfig::new(split).with_end_of_document("<|endoftext|>").with_shard_tokens(1 << 20);
    let corpus = Corpus::build(&source, &tokenizer, &config, folder.path(), &mut |_| {}).unwrap();
    assert_eq!(corpus.statistics().documents, 3058);

    let all = tokens(corpus.train());
    let mut kept = Vec::new();
    for document in all.split_inclusive(|token| *token == 0) {
        kept.push(tokenizer.decode(&document[..document.len() - 1]).unwrap());
    }
    let mut seen = std::collections::HashSet::new();
    let expected: Vec<&String> = documents.iter().filter(|text| !split.parts(text).train.is_empty() && seen.insert(*text)).collect();
    assert!(kept.iter().eq(expected));
    assert_eq!(corpus.train().documents(), kept.len() as u64);

    let batches = BatchConfig::new(8, 512).with_documents(true).with_ignored_borders(true).init(corpus.train().clone()).unwrap();
    let (mut targets, mut ends) = (0, 0);
    for step in 0..batches.rows_per_epoch() / 8 {
        let batch = batches.batch(step).unwrap();
        targets += batch.target_count() as u64;
        for (input, target) in batch.inputs.iter().zip(&batch.targets) {
            assert_eq!(*input == 0, *target == IGNORED_TARGET);
            ends += u64::from(*input == 0);
        }
    }
    assert_eq!(targets + ends, batches.rows_per_epoch() / 8 * 8 * 512);
}

const FOLDER: &str = "JARRE_TEST_CORPUS_FOLDER";

/// Two sets of documents that a folder is built of in turn.
fn sources(folder: &Path) -> [DocumentSource; 2] {
    ["one", "other"].map(|name| DocumentSource::new([folder.join(name)]))
}

fn tokenizer() -> TextTokenizer {
    BpeConfig::new(257).with_special_tokens(["<|end|>"]).train([Ok("")].into_iter(), &mut |_| {}).unwrap()
}

fn build(folder: &Path, source: &DocumentSource) -> Corpus {
    let config = CorpusConfig::new(Split::by_position(0.1).unwrap()).with_end_of_document("<|end|>").with_shard_tokens(20_000);
    Corpus::build(source, &tokenizer(), &config, folder.join("tokens"), &mut |_| {}).unwrap()
}

#[test]
#[ignore = "a part of another test"]
fn build_until_killed() {
    #[expect(clippy::disallowed_methods, reason = "how the parent process tells a part its folder")]
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    // So many that the end is never reached, and no process outlives a parent that was killed by hours.
    for source in sources(&folder).iter().cycle().take(10_000) {
        build(&folder, source);
    }
}

fn start(folder: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["build_until_killed", "--exact", "--ignored"]).env(FOLDER, folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_build_that_is_killed_leaves_the_corpus_before_it_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    for (name, word) in [("one", "alpha "), ("other", "omega ")] {
        fs::create_dir(folder.path().join(name)).unwrap();
        for number in 0..20 {
            fs::write(folder.path().join(name).join(format!("{number}.txt")), format!("{number} {}", word.repeat(1000))).unwrap();
        }
    }
    let whole = sources(folder.path()).map(|source| tokens(build(folder.path(), &source).train()));
    assert_ne!(whole[0], whole[1]);
    for round in 0..20_u64 {
        let mut child = start(folder.path());
        thread::sleep(Duration::from_millis(20 + 37 * round % 150));
        child.kill().unwrap();
        child.wait().unwrap();
        let corpus = Corpus::open(folder.path().join("tokens")).unwrap();
        corpus.verify().unwrap();
        assert!(whole.contains(&tokens(corpus.train())), "round {round}");
    }
    let again = sources(folder.path()).map(|source| tokens(build(folder.path(), &source).train()));
    assert_eq!(again, whole);
}
