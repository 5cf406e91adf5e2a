/// How far the making of a tokenizer or a corpus has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Documents are read and their words counted, to learn a tokenizer.
    Counting {
        /// Documents so far.
        documents: u64,
        /// Bytes of their text.
        text_bytes: u64,
    },
    /// All documents are read; the words are merged into a vocabulary.
    Merging,
    /// Documents are turned into tokens and written.
    Tokenizing {
        /// Documents so far.
        documents: u64,
        /// Tokens so far.
        tokens: u64,
        /// Bytes of files read so far, as they lie on disk.
        read_bytes: u64,
        /// Bytes of all files.
        total_bytes: u64,
    },
    /// Everything is written; the corpus is about to be put in place.
    Committing,
}
