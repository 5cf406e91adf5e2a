use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::document_file::{DocumentFile, Reading};
use super::files::{Files, Format};
use crate::error::{Error, Result};

/// Bytes that a document may have unless [`DocumentSource::with_max_bytes`] says otherwise.
const MAX_BYTES: usize = 64 << 20;

/// A text to learn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The text; not empty.
    pub text: String,
    /// The file it was read from.
    pub path: Arc<Path>,
    /// The line of the file that it starts on, counted from 1.
    pub line: u64,
}

impl AsRef<str> for Document {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// Where the documents of a corpus lie and how they are read.
///
/// A path may be a file or a folder; the files of a folder are read in the order of their paths, at any depth. Hidden files, symbolic
/// links, folders named `target` or `node_modules`, and files that do not begin as UTF-8 text are passed over in a folder. What a file is
/// read as, its name says:
///
/// | name | documents |
/// | --- | --- |
/// | `*.jsonl`, `*.ndjson` | one a line: the string `text` of a JSON object; blank lines are passed over |
/// | any other | one: the whole file, or what stands between [separator](Self::with_separator) lines |
/// | `*.jsonl.gz`, `*.ndjson.gz`, `*.txt.gz`, `*.md.gz` | as the file of that name without `.gz` |
///
/// Texts are UTF-8; a byte order mark at the start of a file is dropped, and documents without any text are.
#[derive(Clone, Debug)]
pub struct DocumentSource {
    paths: Vec<PathBuf>,
    reading: Reading,
}

impl DocumentSource {
    /// The documents in `paths`, in that order.
    pub fn new(paths: impl IntoIterator<Item: Into<PathBuf>>) -> Self {
        let paths = paths.into_iter().map(Into::into).collect();
        Self { paths, reading: Reading { text_field: "text".to_owned(), separator: None, max_bytes: MAX_BYTES } }
    }

    /// Reads the text of a JSON object from `field` instead of `text`.
    pub fn with_text_field(mut self, field: impl Into<String>) -> Self {
        self.reading.text_field = field.into();
        self
    }

    /// Ends a document of a plain text file at each line that is `separator` and nothing else, such as `<|endoftext|>`.
    pub fn with_separator(mut self, separator: impl Into<String>) -> Self {
        self.reading.separator = Some(separator.into());
        self
    }

    /// The bytes that a document, or the line of a JSON object, may have: what reading may hold in memory. 64 MiB unless set.
    pub fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.reading.max_bytes = bytes;
        self
    }

    /// Reads the documents one after another, never more than one in memory.
    ///
    /// # Errors
    /// Where a path is missing or no file is found. The iterator yields an error for a document that cannot be read, is malformed or too
    /// long ([`Error::Document`]); what is left of that file is then passed over.
    pub fn documents(&self) -> Result<Documents> {
        let files = Files::find(&self.paths)?;
        let mut total_bytes = 0;
        for path in &files.text {
            total_bytes += std::fs::metadata(path).map_err(Error::io(path))?.len();
        }
        Ok(Documents {
            reading: self.reading.clone(),
            files: files.text.into_iter(),
            open: None,
            skipped: files.binary,
            total_bytes,
            read_bytes: Arc::default(),
        })
    }

    /// Changes with the content of any file, their order, and how they are read; not with where they lie.
    ///
    /// # Errors
    /// Where a file cannot be read. All of them are, in whole.
    pub(super) fn digest(&self) -> Result<blake3::Hash> {
        let mut digest = blake3::Hasher::new();
        digest.update(format!("{:?}\n", self.reading).as_bytes());
        for path in Files::find(&self.paths)?.text {
            let mut content = blake3::Hasher::new();
            let file = File::open(&path).map_err(Error::io(&path))?;
            content.update_reader(file).map_err(Error::io(&path))?;
            digest.update(format!("{:?} ", Format::of(&path)).as_bytes());
            digest.update(content.finalize().as_bytes());
        }
        Ok(digest.finalize())
    }
}

/// The documents of a [`DocumentSource`], read as they are asked for.
#[derive(Debug)]
pub struct Documents {
    reading: Reading,
    files: std::vec::IntoIter<PathBuf>,
    open: Option<DocumentFile>,
    skipped: Vec<PathBuf>,
    total_bytes: u64,
    read_bytes: Arc<AtomicU64>,
}

impl Documents {
    /// Files of the folders that are not text and were passed over.
    pub fn skipped(&self) -> &[PathBuf] {
        &self.skipped
    }

    /// Bytes of all files as they lie on disk.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// Bytes of [`total_bytes`](Self::total_bytes) that have been read.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }
}

impl Iterator for Documents {
    type Item = Result<Document>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut file = match self.open.take() {
                Some(file) => file,
                None => match DocumentFile::open(&self.files.next()?, &self.read_bytes) {
                    Ok(file) => file,
                    Err(error) => return Some(Err(error)),
                },
            };
            match file.next(&self.reading) {
                Ok(None) => {}
                Ok(Some(document)) if document.text.is_empty() => self.open = Some(file),
                Ok(Some(document)) => {
                    self.open = Some(file);
                    return Some(Ok(document));
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
            let path = self.0.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        }
    }

    fn gzip(content: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn texts(source: &DocumentSource) -> Vec<(String, u64)> {
        source.documents().unwrap().map(|document| document.map(|document| (document.text, document.line)).unwrap()).collect()
    }

    fn first_error(source: &DocumentSource) -> (u64, String) {
        match source.documents().unwrap().find_map(Result::err) {
            Some(Error::Document { line, reason, .. }) => (line, reason),
            other => panic!("a document error was expected, not {other:?}"),
        }
    }

    #[test]
    fn each_kind_of_file_gives_its_documents_in_order() {
        let folder = Folder::new();
        let lines = "\u{feff}{\"text\": \"one\"}\n\n{\"text\": \"\"}\r\n{\"n\": 1, \"text\": \"two\\nlines\"}";
        folder.write("a.jsonl", lines);
        // Two members one after the other, as `cat a.gz b.gz` makes them.
        folder.write("b.jsonl.gz", [gzip(lines), gzip("\n{\"text\": \"three\"}\n")].concat());
        folder.write("c.md", "\u{feff}# title\n\ntext");
        folder.write("d.txt", "");
        let expected = [("one", 1), ("two\nlines", 4), ("one", 1), ("two\nlines", 4), ("three", 5), ("# title\n\ntext", 1)];
        let read = texts(&DocumentSource::new([folder.0.path()]));
        assert_eq!(read, expected.map(|(text, line)| (text.to_owned(), line)));
    }

    #[test]
    fn separators_cut_a_text_and_fields_can_have_other_names() {
        let folder = Folder::new();
        let stories = folder.write("stories.txt", "one\nmore\n<end>\n<end>\r\n\n<end>x\ntwo");
        let source = DocumentSource::new([stories]).with_separator("<end>");
        assert_eq!(texts(&source), [("one\nmore\n".to_owned(), 1), ("\n<end>x\ntwo".to_owned(), 5)]);
        let lines = folder.write("x.jsonl", r#"{"content": "body", "text": 1}"#);
        assert_eq!(texts(&DocumentSource::new([lines]).with_text_field("content")), [("body".to_owned(), 1)]);
    }

    #[test]
    fn broken_lines_are_named() {
        let folder = Folder::new();
        let broken = |content: &[u8]| first_error(&DocumentSource::new([folder.write("x.jsonl", content)]));
        let (line, reason) = broken(b"{\"text\": \"a\"}\n\n{\"text\": 7}\n");
        assert!(line == 3 && reason.contains("expected a string"), "{line} {reason}");
        assert_eq!(broken(b"{\"text\": \"a\"}\n{\"text\": \"\xff\"}\n").0, 2);
        let text = folder.write("x.txt", b"fine\nfine\nbad \xc3( line\n");
        assert_eq!(first_error(&DocumentSource::new([text])), (3, "it is not UTF-8".to_owned()));
    }

    #[test]
    fn a_packed_file_that_is_cut_off_or_spoilt_is_an_error() {
        let folder = Folder::new();
        let whole = gzip(&"{\"text\": \"some words to pack, number 123\"}\n".repeat(3));
        for spoilt in [whole[..whole.len() - 1].to_vec(), whole[..12].to_vec(), b"no gzip at all".to_vec()] {
            let path = folder.write("x.jsonl.gz", spoilt);
            let (_, reason) = first_error(&DocumentSource::new([path]));
            assert!(reason.contains("cannot be read"), "{reason}");
        }
    }

    #[test]
    fn a_document_beyond_the_limit_is_refused_before_it_is_read() {
        let folder = Folder::new();
        // A few kilobytes that unpack to sixteen megabytes.
        let bomb = folder.write("x.txt.gz", gzip(&"0".repeat(16 << 20)));
        let (line, reason) = first_error(&DocumentSource::new([&bomb]).with_max_bytes(1 << 20));
        assert!(line == 1 && reason.contains("more than 1048576 bytes"), "{reason}");
        assert_eq!(texts(&DocumentSource::new([&bomb]).with_max_bytes(16 << 20)).len(), 1);
    }

    #[test]
    fn after_an_error_the_next_file_is_read() {
        let folder = Folder::new();
        folder.write("a.jsonl", "oops\n{\"text\": \"lost\"}\n");
        folder.write("b.txt", "kept");
        let mut documents = DocumentSource::new([folder.0.path()]).documents().unwrap();
        assert!(documents.next().unwrap().is_err());
        assert_eq!(documents.next().unwrap().unwrap().text, "kept");
        assert!(documents.next().is_none());
        assert_eq!(documents.read_bytes(), documents.total_bytes());
    }

    #[test]
    fn the_digest_follows_content_order_and_settings() {
        let folder = Folder::new();
        let (a, b) = (folder.write("a.txt", "one"), folder.write("b.txt", "two"));
        let digest = |paths: [&PathBuf; 2]| DocumentSource::new(paths).digest().unwrap();
        let before = digest([&a, &b]);
        assert_eq!(digest([&a, &b]), before);
        assert_ne!(digest([&b, &a]), before);
        assert_ne!(DocumentSource::new([&a, &b]).with_separator("-").digest().unwrap(), before);
        folder.write("b.txt", "too");
        assert_ne!(digest([&a, &b]), before);
    }
}
