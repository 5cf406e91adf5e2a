use std::path::Path;

use super::documents::{Document, DocumentSource, Documents};
use super::manifest::{self, Manifest};
use super::progress::Progress;
use super::shard_writer::{ShardSetWriter, Vocabulary};
use super::split::{DocumentHash, Seen, Split};
use super::text_tokenizer::TextTokenizer;
use crate::error::{Error, Result};

/// Bytes of text that are tokenised at a time.
const CHUNK: usize = 4 << 20;

/// How documents become a corpus.
#[derive(Clone, Debug, PartialEq)]
pub struct CorpusConfig {
    split: Split,
    end_of_document: Option<String>,
    keep_duplicates: bool,
    shard_tokens: u64,
}

impl CorpusConfig {
    /// Parts by `split`; nothing stands between documents, exact copies are left out, and a shard has 2^27 tokens.
    pub fn new(split: Split) -> Self {
        Self { split, end_of_document: None, keep_duplicates: false, shard_tokens: 1 << 27 }
    }

    /// Ends every document with a special token, such as `<|endoftext|>`.
    pub fn with_end_of_document(mut self, token: impl Into<String>) -> Self {
        self.end_of_document = Some(token.into());
        self
    }

    /// Keeps exact copies of documents. They are counted either way.
    pub fn with_duplicates(mut self, keep: bool) -> Self {
        self.keep_duplicates = keep;
        self
    }

    /// Begins a new file once one has this many tokens; a document is never cut, so a file has at most one document more.
    pub fn with_shard_tokens(mut self, tokens: u64) -> Self {
        self.shard_tokens = tokens;
        self
    }

    /// What must be equal for a corpus to be taken as it is.
    pub(super) fn inputs(&self, source: &DocumentSource, tokenizer: &TextTokenizer) -> Result<String> {
        let mut digest = blake3::Hasher::new();
        digest.update(source.digest()?.as_bytes());
        digest.update(&tokenizer.fingerprint_bytes());
        digest.update(format!("{self:?}").as_bytes());
        Ok(digest.finalize().to_hex().to_string())
    }
}

/// A corpus in the making.
pub(super) struct Build<'b> {
    folder: &'b Path,
    tokenizer: &'b TextTokenizer,
    config: &'b CorpusConfig,
    end_of_document: Option<u32>,
    manifest: Manifest,
    train: ShardSetWriter,
    validation: ShardSetWriter,
    seen: Seen,
    tokens: u64,
}

impl<'b> Build<'b> {
    pub(super) fn new(folder: &'b Path, inputs: String, tokenizer: &'b TextTokenizer, config: &'b CorpusConfig) -> Result<Self> {
        let missing = |token: &String| Error::Corpus(format!("the end-of-document token `{token}` is not in the tokenizer's vocabulary"));
        let end_of_document = config.end_of_document.as_ref();
        let end_of_document = end_of_document.map(|token| tokenizer.token_id(token).ok_or_else(|| missing(token))).transpose()?;
        let vocabulary = Vocabulary { size: tokenizer.vocab_size() as u32, fingerprint: tokenizer.fingerprint_bytes() };
        let writer = |side| ShardSetWriter::new(folder, manifest::shard_prefix(side, &inputs), vocabulary, config.shard_tokens);
        let (train, validation) = (writer("train"), writer("validation"));
        let fingerprint = tokenizer.fingerprint();
        let manifest = Manifest::new(inputs, manifest::tokenizer_file(&fingerprint), fingerprint);
        Ok(Self { folder, tokenizer, config, end_of_document, manifest, train, validation, seen: Seen::default(), tokens: 0 })
    }

    pub(super) fn run(&mut self, mut documents: Documents, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        self.manifest.statistics.skipped_files = documents.skipped().len() as u64;
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        while let Some(document) = documents.next().transpose()? {
            self.manifest.statistics.documents += 1;
            let hash = DocumentHash::of(&document.text);
            let new = self.seen.is_new(hash);
            self.manifest.statistics.duplicates += u64::from(!new);
            if new || self.config.keep_duplicates {
                bytes += document.text.len();
                chunk.push((document, hash));
            }
            if bytes >= CHUNK {
                self.write_chunk(&std::mem::take(&mut chunk))?;
                bytes = 0;
                progress(self.progress(&documents));
            }
        }
        self.write_chunk(&chunk)?;
        progress(self.progress(&documents));
        Ok(())
    }

    fn progress(&self, documents: &Documents) -> Progress {
        Progress::Tokenizing {
            documents: self.manifest.statistics.documents,
            tokens: self.tokens,
            read_bytes: documents.read_bytes(),
            total_bytes: documents.total_bytes(),
        }
    }

    fn write_chunk(&mut self, chunk: &[(Document, DocumentHash)]) -> Result<()> {
        let parts: Vec<_> = chunk.iter().map(|(document, hash)| self.config.split.parts_of(&document.text, *hash)).collect();
        let texts: Vec<&str> = parts.iter().flat_map(|parts| [parts.train, parts.validation]).collect();
        let encoded = self.tokenizer.encode_batch(&texts).map_err(|error| self.blame(chunk, error))?;
        for (index, mut tokens) in encoded.into_iter().enumerate() {
            if tokens.is_empty() {
                continue;
            }
            tokens.extend(self.end_of_document);
            self.tokens += tokens.len() as u64;
            self.manifest.statistics.text_bytes += texts[index].len() as u64;
            let side = if index % 2 == 0 { &mut self.train } else { &mut self.validation };
            side.push(&tokens)?;
        }
        Ok(())
    }

    /// The error of the first document that cannot be encoded, with its place.
    fn blame(&self, chunk: &[(Document, DocumentHash)], error: Error) -> Error {
        let culprit = chunk.iter().find_map(|(document, _)| self.tokenizer.encode(&document.text).err().map(|error| (document, error)));
        culprit.map_or(error, |(document, error)| Error::Document {
            path: document.path.to_path_buf(),
            line: document.line,
            reason: error.to_string(),
        })
    }

    /// Everything is made durable before the manifest names it.
    pub(super) fn commit(mut self, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        self.manifest.train = self.train.finish()?;
        self.manifest.validation = self.validation.finish()?;
        let share = self.config.split.validation_share();
        let empty = [("training", self.manifest.train.is_empty()), ("validation", share > 0.0 && self.manifest.validation.is_empty())];
        if let Some((side, _)) = empty.iter().find(|(_, empty)| *empty) {
            let documents = self.manifest.statistics.documents;
            let problem =
                format!("none of the {documents} documents has text for {side}; change the share, or split a single text by position");
            return Err(Error::Corpus(problem));
        }
        self.tokenizer.save(self.folder.join(&self.manifest.tokenizer))?;
        progress(Progress::Committing);
        self.manifest.commit(self.folder)
    }
}
