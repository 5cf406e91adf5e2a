use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use super::build::{Build, CorpusConfig};
use super::documents::DocumentSource;
use super::manifest::{Manifest, Statistics};
use super::progress::Progress;
use super::stream::TokenStream;
use super::text_tokenizer::TextTokenizer;
use crate::error::{Error, Result};

/// Held while a folder is built in.
const LOCK: &str = "build.lock";

/// A tokenised corpus in a folder: training and validation tokens, the tokenizer, and a manifest that vouches for them.
///
/// ```
/// # use jarre_transformer::corpus::{BatchConfig, CharacterConfig, Corpus, CorpusConfig, DocumentSource, Split};
/// # let folder = std::env::temp_dir().join(format!("jarre-corpus-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let text = folder.join("text.txt");
/// std::fs::write(&text, "to be, or not to be, that is the question: ".repeat(40))?;
/// let source = DocumentSource::new([&text]);
/// let tokenizer = CharacterConfig::new().build(source.documents()?)?;
///
/// let config = CorpusConfig::new(Split::by_position(0.1)?);
/// let corpus = Corpus::build(&source, &tokenizer, &config, folder.join("tokens"), &mut |_| {})?;
/// assert_eq!((corpus.train().len(), corpus.validation().len()), (1548, 172));
///
/// let batch = BatchConfig::new(4, 16).init(corpus.train().clone())?.batch(0)?;
/// assert_eq!(tokenizer.decode(&batch.inputs)?.len(), 4 * 16);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Corpus {
    train: Arc<TokenStream>,
    validation: Arc<TokenStream>,
    tokenizer: TextTokenizer,
    statistics: Statistics,
}

impl Corpus {
    /// Makes the corpus of `source` in `folder`, or takes the one that is there where documents, tokenizer and configuration are those it
    /// was made from and its checksums hold. The documents must not change meanwhile.
    ///
    /// A build that is stopped at any instant leaves the corpus that was there before, or none; the next build starts over. Documents are
    /// read one after another and tokenised some megabytes at a time on all threads, so memory does not grow with the corpus but for some
    /// 30 bytes a document.
    ///
    /// # Errors
    /// Where a document cannot be read or encoded, the end-of-document token is not in the vocabulary, a part comes out empty, the folder
    /// cannot be written, or another build is at work in it ([`Error::InUse`]).
    pub fn build(
        source: &DocumentSource,
        tokenizer: &TextTokenizer,
        config: &CorpusConfig,
        folder: impl AsRef<Path>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let _lock = lock(folder)?;
        let inputs = config.inputs(source, tokenizer)?;
        if let Some(corpus) = Self::existing(folder, &inputs)? {
            return Ok(corpus);
        }
        let mut build = Build::new(folder, inputs, tokenizer, config)?;
        build.run(source.documents()?, progress)?;
        build.commit(progress)?;
        Self::open(folder)
    }

    /// Opens the corpus in `folder`. Its files are checked as [`Shard::open`](super::Shard::open) does; [`verify`](Self::verify) reads all
    /// of them.
    ///
    /// # Errors
    /// Where there is no corpus, or it is damaged.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let manifest = Manifest::read(folder)?;
        Self::from_manifest(folder, &manifest)
    }

    /// Reads all tokens and holds them to their checksums.
    ///
    /// # Errors
    /// Where a file cannot be read or is damaged.
    pub fn verify(&self) -> Result<()> {
        self.train.verify()?;
        self.validation.verify()
    }

    /// The tokens to train on.
    pub fn train(&self) -> &Arc<TokenStream> {
        &self.train
    }

    /// The tokens kept for validation; none where no share was to be kept.
    pub fn validation(&self) -> &Arc<TokenStream> {
        &self.validation
    }

    /// The tokenizer that the tokens are of.
    pub fn tokenizer(&self) -> &TextTokenizer {
        &self.tokenizer
    }

    /// What went into the corpus.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    fn from_manifest(folder: &Path, manifest: &Manifest) -> Result<Self> {
        let tokenizer = TextTokenizer::from_file(folder.join(&manifest.tokenizer))?;
        if tokenizer.fingerprint() != manifest.vocabulary {
            return Err(Error::malformed(folder.join(&manifest.tokenizer), "it is not the tokenizer that the corpus was made with"));
        }
        let [train, validation] = [&manifest.train, &manifest.validation].map(|records| Manifest::open(folder, records).map(Arc::new));
        Ok(Self { train: train?, validation: validation?, tokenizer, statistics: manifest.statistics.clone() })
    }

    /// The corpus of these inputs, where it is there and whole; what is damaged is built again.
    fn existing(folder: &Path, inputs: &str) -> Result<Option<Self>> {
        let found = Manifest::read(folder).and_then(|manifest| {
            let same = manifest.inputs == inputs;
            same.then(|| Self::from_manifest(folder, &manifest).and_then(|corpus| corpus.verify().map(|()| corpus))).transpose()
        });
        match found {
            Err(Error::Damaged { .. } | Error::Malformed { .. }) => Ok(None),
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
            found => found,
        }
    }
}

/// A lock that dies with its process.
#[derive(Debug)]
struct Lock(File);

/// Gives the lock up by name: a process that was just forked, and has not become another program yet, holds a copy of the file, and closing
/// ours alone would leave it locked until then.
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn lock(folder: &Path) -> Result<Lock> {
    let path = folder.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(Error::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: folder.to_owned(), by: "another build".to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::io(&path)(source)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::panic::AssertUnwindSafe;
    use std::path::PathBuf;

    use super::super::{BpeConfig, Split};
    use super::*;

    struct Fixture {
        folder: tempfile::TempDir,
        tokenizer: TextTokenizer,
    }

    impl Fixture {
        fn new() -> Self {
            let config = BpeConfig::new(270).with_special_tokens(["<|end|>"]);
            let tokenizer = config.train([Ok("document number of the corpus")].into_iter(), &mut |_| {}).unwrap();
            let this = Self { folder: tempfile::tempdir().unwrap(), tokenizer };
            this.put((0..200).map(|number| format!("document number {number}")));
            this
        }

        fn put(&self, texts: impl Iterator<Item = String>) {
            let lines: String = texts.map(|text| serde_json::json!({"text": text}).to_string() + "\n").collect();
            fs::write(self.folder.path().join("documents.jsonl"), lines).unwrap();
        }

        fn source(&self) -> DocumentSource {
            DocumentSource::new([self.folder.path().join("documents.jsonl")])
        }

        fn tokens(&self) -> PathBuf {
            self.folder.path().join("tokens")
        }

        fn config() -> CorpusConfig {
            CorpusConfig::new(Split::by_document(0.2).unwrap()).with_end_of_document("<|end|>").with_shard_tokens(300)
        }

        fn build(&self, config: &CorpusConfig) -> Result<Corpus> {
            Corpus::build(&self.source(), &self.tokenizer, config, self.tokens(), &mut |_| {})
        }

        /// What is in the folder, but for the lock.
        fn files(&self) -> BTreeMap<String, Vec<u8>> {
            let children = fs::read_dir(self.tokens()).unwrap().map(|child| child.unwrap());
            let named = children.map(|child| (child.file_name().into_string().unwrap(), fs::read(child.path()).unwrap()));
            named.filter(|(name, _)| name != LOCK).collect()
        }
    }

    /// The documents of a stream, as text.
    fn texts(corpus: &Corpus, stream: &TokenStream) -> Vec<String> {
        let mut tokens = vec![0; stream.len() as usize];
        stream.read(0, &mut tokens).unwrap();
        let mut texts = Vec::new();
        let mut start = 0;
        for end in stream.ends_in(0, tokens.len()) {
            texts.push(corpus.tokenizer().decode(&tokens[start..end]).unwrap());
            start = end;
        }
        texts
    }

    #[test]
    fn every_document_is_on_its_side_whole_and_ended() {
        let fixture = Fixture::new();
        let corpus = fixture.build(&Fixture::config()).unwrap();
        let split = Split::by_document(0.2).unwrap();
        let all: Vec<String> = (0..200).map(|number| format!("document number {number}")).collect();
        let (validation, train): (Vec<_>, Vec<_>) = all.iter().partition(|text| split.parts(text).train.is_empty());
        let ended = |texts: Vec<&String>| texts.into_iter().map(|text| format!("{text}<|end|>")).collect::<Vec<_>>();
        assert_eq!(texts(&corpus, corpus.train()), ended(train));
        assert_eq!(texts(&corpus, corpus.validation()), ended(validation));
        assert!(fixture.files().keys().filter(|name| name.starts_with("train-")).count() > 3);
        corpus.verify().unwrap();
    }

    #[test]
    fn copies_are_counted_and_left_out_unless_they_are_wanted() {
        let fixture = Fixture::new();
        fixture.put((0..90).map(|number| format!("document number {}", number % 30)));
        let once = fixture.build(&Fixture::config()).unwrap();
        assert_eq!((once.statistics().documents, once.statistics().duplicates), (90, 60));
        assert_eq!(once.train().documents() + once.validation().documents(), 30);
        let thrice = fixture.build(&Fixture::config().with_duplicates(true)).unwrap();
        assert_eq!((thrice.statistics().duplicates, thrice.train().len()), (60, 3 * once.train().len()));
    }

    #[test]
    fn the_same_inputs_are_not_worked_on_again_and_others_are() {
        let fixture = Fixture::new();
        let config = Fixture::config();
        let calls = |config: &CorpusConfig| {
            let mut calls = 0;
            Corpus::build(&fixture.source(), &fixture.tokenizer, config, fixture.tokens(), &mut |_| calls += 1).unwrap();
            calls
        };
        assert!(calls(&config) > 0);
        let before = fixture.files();
        assert_eq!(calls(&config), 0);
        assert_eq!(fixture.files(), before);
        assert!(calls(&config.clone().with_shard_tokens(100)) > 0);
        fixture.put((0..200).map(|number| format!("documents number {number}")));
        assert!(calls(&config) > 0);
        // Nothing of the builds before is left.
        assert!(fixture.files().keys().all(|name| !before.contains_key(name) || name == "manifest.json" || name.starts_with("tokenizer-")));
    }

    #[test]
    fn what_is_damaged_is_an_error_to_open_and_built_again() {
        let fixture = Fixture::new();
        fixture.build(&Fixture::config()).unwrap();
        let whole = fixture.files();
        for name in whole.keys() {
            let path = fixture.tokens().join(name);
            let middle = whole[name].len() / 2;
            for spoilt in [None, Some(whole[name][..middle].to_vec()), Some([&whole[name][..150], b"!", &whole[name][151..]].concat())] {
                match &spoilt {
                    None => fs::remove_file(&path).unwrap(),
                    Some(bytes) => fs::write(&path, bytes).unwrap(),
                }
                assert!(Corpus::open(fixture.tokens()).and_then(|corpus| corpus.verify()).is_err(), "{name}");
                fixture.build(&Fixture::config()).unwrap();
                assert_eq!(fixture.files(), whole, "{name}");
            }
        }
    }

    /// A build that ends in a panic leaves what an abrupt end leaves: files are closed, and nothing is tidied up.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the panic stands for the end of the process")]
    fn a_build_that_stops_leaves_the_corpus_before_it() {
        let fixture = Fixture::new();
        fixture.build(&Fixture::config()).unwrap();
        let before = texts(&Corpus::open(fixture.tokens()).unwrap(), Corpus::open(fixture.tokens()).unwrap().train());
        fixture.put((0..40).map(|number| format!("{number} {}", "long document ".repeat(20_000))));
        for stop in 1..=4 {
            let mut calls = 0;
            let stopped = std::panic::catch_unwind(AssertUnwindSafe(|| {
                let mut count = |_| {
                    calls += 1;
                    assert!(calls < stop, "stopped on purpose");
                };
                Corpus::build(&fixture.source(), &fixture.tokenizer, &Fixture::config(), fixture.tokens(), &mut count)
            }));
            assert!(stopped.is_err());
            let corpus = Corpus::open(fixture.tokens()).unwrap();
            corpus.verify().unwrap();
            assert_eq!(texts(&corpus, corpus.train()), before);
        }
        let corpus = fixture.build(&Fixture::config()).unwrap();
        assert_eq!(corpus.train().documents() + corpus.validation().documents(), 40);
        assert!(fixture.files().keys().all(|name| !name.ends_with(super::super::durable::DRAFT)));
    }

    #[test]
    fn a_side_without_text_is_an_error_that_says_what_to_do() {
        let fixture = Fixture::new();
        fixture.put(std::iter::once("one document".to_owned()));
        for share in [0.01, 0.99] {
            let config = CorpusConfig::new(Split::by_document(share).unwrap());
            let error = fixture.build(&config).unwrap_err();
            assert!(error.to_string().contains("by position"), "{error}");
        }
        assert!(Corpus::open(fixture.tokens()).is_err());
        let by_position = fixture.build(&CorpusConfig::new(Split::by_position(0.25).unwrap())).unwrap();
        assert_eq!(texts(&by_position, by_position.train()), ["one docum"]);
        let all = fixture.build(&CorpusConfig::new(Split::by_document(0.0).unwrap())).unwrap();
        assert!(all.validation().is_empty() && all.train().documents() == 1);
    }

    #[test]
    fn bad_documents_and_tokens_are_named() {
        let fixture = Fixture::new();
        let error = fixture.build(&Fixture::config().with_end_of_document("<|no|>")).unwrap_err();
        assert!(error.to_string().contains("<|no|>"), "{error}");
        let characters = super::super::CharacterConfig::new().build([Ok("documetnbr 0123456789")]).unwrap();
        fixture.put(["document 1".to_owned(), "dokument 2".to_owned()].into_iter());
        let config = CorpusConfig::new(Split::by_position(0.1).unwrap());
        let error = Corpus::build(&fixture.source(), &characters, &config, fixture.tokens(), &mut |_| {}).unwrap_err();
        assert!(matches!(&error, Error::Document { line: 2, reason, .. } if reason.contains("'k'")), "{error}");
    }

    #[test]
    fn one_build_at_a_time_works_in_a_folder() {
        let fixture = Fixture::new();
        fs::create_dir_all(fixture.tokens()).unwrap();
        let held = lock(&fixture.tokens()).unwrap();
        assert!(matches!(fixture.build(&Fixture::config()), Err(Error::InUse { .. })));
        drop(held);
        fixture.build(&Fixture::config()).unwrap();
    }
}
