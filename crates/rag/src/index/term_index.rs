//! The terms of a segment: a tantivy index of one segment, whose document numbers are the rows of ours, packed in one file.
//!
//! tantivy brings the dictionary, the compressed posting lists and the field norms. It has no commit point of its own here: an index is
//! written once in memory, packed, and from then on only read, so one manifest decides for all legs.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use tantivy::{
    Directory, DocSet, Index, InvertedIndexReader, SegmentReader, SingleSegmentIndexWriter, TERMINATED, TantivyDocument, TantivyError,
    Term,
    directory::{
        FileHandle, OwnedBytes, RamDirectory, WatchCallback, WatchHandle, WritePtr,
        error::{DeleteError, OpenReadError, OpenWriteError},
    },
    fieldnorm::FieldNormReader,
    postings::{Postings, TermInfo},
    schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{PreTokenizedString, Token},
};

use super::storage::corrupt;
use crate::{Error, Result};

/// tantivy's own unit of memory; a segment grows beyond it where it must, so this only sizes the first allocation.
const MEMORY: usize = 15_000_000;

/// Which rows hold a term, and how often.
pub(super) struct TermIndex {
    field: Field,
    inverted: Arc<InvertedIndexReader>,
    norms: FieldNormReader,
}

/// The distinct terms of a row with their counts, in the order of the terms' bytes.
pub(super) type Bag = Vec<(Arc<str>, u32)>;

impl TermIndex {
    /// The packed index of `rows`, each a list of terms with repetitions.
    pub(super) fn build<'a>(rows: impl Iterator<Item = &'a [String]>) -> Result<Vec<u8>> {
        let (schema, field) = schema();
        let directory = RamDirectory::create();
        let index = Index::create(directory.clone(), schema, tantivy::IndexSettings::default()).map_err(failed)?;
        let mut writer = SingleSegmentIndexWriter::new(index, MEMORY).map_err(failed)?;
        for row in rows {
            writer.add_document(document(field, row)).map_err(failed)?;
        }
        let index = writer.finalize().map_err(failed)?;
        pack(&index, &directory)
    }

    /// Reads what [`build`](Self::build) made of `rows` rows.
    pub(super) fn open(bytes: Vec<u8>, rows: usize, path: &Path) -> Result<Self> {
        let directory = Packed::parse(bytes).ok_or_else(|| corrupt(path, "it is not a packed term index"))?;
        let damaged = |error: TantivyError| corrupt(path, error.to_string());
        let index = Index::open(directory).map_err(damaged)?;
        // tantivy trusts the bytes it reads; its own checksums are what a hostile file would still have to get right.
        if !index.validate_checksum().map_err(damaged)?.is_empty() {
            return Err(corrupt(path, "a part of it has another checksum than tantivy gave it"));
        }
        let segments = index.searchable_segments().map_err(damaged)?;
        let [segment] = segments.as_slice() else { return Err(corrupt(path, "it does not hold one segment")) };
        let reader = SegmentReader::open(segment).map_err(damaged)?;
        if reader.max_doc() as usize != rows || index.schema() != schema().0 {
            return Err(corrupt(path, format!("it does not describe {rows} chunks")));
        }
        let field = schema().1;
        let inverted = reader.inverted_index(field).map_err(damaged)?;
        let norms = reader.get_fieldnorms_reader(field).map_err(damaged)?;
        Ok(Self { field, inverted, norms })
    }

    /// Calls `each` with every row that holds `term` and how often, rows ascending.
    pub(super) fn postings(&self, term: &str, each: impl FnMut(usize, u32)) -> Result<()> {
        let found = self.inverted.get_term_info(&Term::from_field_text(self.field, term)).map_err(failed)?;
        found.map_or(Ok(()), |info| self.walk(&info, each))
    }

    /// In how many rows `term` stands, dead ones among them.
    pub(super) fn row_freq(&self, term: &str) -> Result<u64> {
        self.inverted.doc_freq(&Term::from_field_text(self.field, term)).map(u64::from).map_err(failed)
    }

    /// The length class of `row` that BM25 scores with.
    pub(super) fn norm_id(&self, row: usize) -> u8 {
        self.norms.fieldnorm_id(row as u32)
    }

    /// The terms of each of `rows` rows: the index turned back.
    pub(super) fn rows(&self, rows: usize) -> Result<Vec<Bag>> {
        let mut turned = vec![Bag::new(); rows];
        let mut stream = self.inverted.terms().stream().map_err(failed)?;
        while stream.advance() {
            let term: Arc<str> = String::from_utf8_lossy(stream.key()).into();
            self.walk(stream.value(), |row, count| turned[row].push((Arc::clone(&term), count)))?;
        }
        Ok(turned)
    }

    fn walk(&self, info: &TermInfo, mut each: impl FnMut(usize, u32)) -> Result<()> {
        let mut postings = self.inverted.read_postings_from_terminfo(info, IndexRecordOption::WithFreqs).map_err(failed)?;
        while postings.doc() != TERMINATED {
            each(postings.doc() as usize, postings.term_freq());
            postings.advance();
        }
        Ok(())
    }
}

impl fmt::Debug for TermIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TermIndex").field("terms", &self.inverted.terms().num_terms()).finish_non_exhaustive()
    }
}

fn failed(error: impl Into<TantivyError>) -> Error {
    Error::Terms(Box::new(error.into()))
}

fn schema() -> (Schema, Field) {
    let indexing = TextFieldIndexing::default().set_index_option(IndexRecordOption::WithFreqs).set_fieldnorms(true);
    let mut schema = Schema::builder();
    let field = schema.add_text_field("terms", TextOptions::default().set_indexing_options(indexing));
    (schema.build(), field)
}

fn document(field: Field, terms: &[String]) -> TantivyDocument {
    let tokens = terms.iter().enumerate().map(|(position, term)| Token { position, text: term.clone(), ..Token::default() });
    let text = PreTokenizedString { text: String::new(), tokens: tokens.collect() };
    let mut document = TantivyDocument::new();
    document.add_pre_tokenized_text(field, text);
    document
}

/// The first line of a packed index: the files that follow, back to back.
#[derive(Serialize, Deserialize)]
struct Contents {
    files: Vec<(PathBuf, usize)>,
}

fn pack(index: &Index, directory: &RamDirectory) -> Result<Vec<u8>> {
    let mut files: BTreeMap<PathBuf, OwnedBytes> = BTreeMap::new();
    for path in index.directory().list_managed_files() {
        let bytes = directory.open_read(&path).map_err(failed)?.read_bytes().map_err(failed)?;
        files.insert(path, bytes);
    }
    let contents = Contents { files: files.iter().map(|(path, bytes)| (path.clone(), bytes.len())).collect() };
    let mut packed = serde_json::to_vec(&contents).expect("the names that tantivy gives its files are UTF-8");
    packed.push(b'\n');
    for bytes in files.values() {
        packed.extend_from_slice(bytes);
    }
    Ok(packed)
}

/// Where tantivy looks for the names of its files; those not listed there are not held to their checksums.
const MANAGED: &str = ".managed.json";

/// A packed index as tantivy sees it: a directory that only reads.
#[derive(Clone, Debug)]
struct Packed {
    files: Arc<BTreeMap<PathBuf, OwnedBytes>>,
}

impl Packed {
    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let header = bytes.iter().position(|&byte| byte == b'\n')?;
        let contents: Contents = serde_json::from_slice(&bytes[..header]).ok()?;
        let mut rest = OwnedBytes::new(bytes).split(header + 1).1;
        let mut files = BTreeMap::new();
        for (path, length) in contents.files {
            if length > rest.len() {
                return None;
            }
            let (file, after) = rest.split(length);
            files.insert(path, file);
            rest = after;
        }
        let names = serde_json::to_vec(&files.keys().collect::<Vec<_>>()).ok()?;
        files.insert(PathBuf::from(MANAGED), OwnedBytes::new(names));
        rest.is_empty().then(|| Self { files: Arc::new(files) })
    }

    fn file(&self, path: &Path) -> Result<OwnedBytes, OpenReadError> {
        self.files.get(path).cloned().ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))
    }
}

impl Directory for Packed {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.file(path).map(|file| Arc::new(file) as Arc<dyn FileHandle>)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.file(path).map(|file| file.as_slice().to_vec())
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.files.contains_key(path))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        Err(DeleteError::IoError { io_error: Arc::new(read_only()), filepath: path.to_owned() })
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::wrap_io_error(read_only(), path.to_owned()))
    }

    fn atomic_write(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(read_only())
    }

    fn sync_directory(&self) -> io::Result<()> {
        Err(read_only())
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}

fn read_only() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "a committed term index is never written to")
}
