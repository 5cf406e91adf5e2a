//! What is in a corpus folder: one file, put in its place when everything that it names is whole.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::durable;
use super::shard_format::damaged;
use super::shard_writer::ShardRecord;
use super::shards::Shard;
use super::stream::TokenStream;
use crate::error::{Error, Result};

const FILE: &str = "manifest.json";
const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) version: u32,
    /// Of the documents, the tokenizer and the configuration, in hexadecimal digits.
    pub(super) inputs: String,
    /// The tokenizer's file.
    pub(super) tokenizer: String,
    /// The tokenizer's fingerprint.
    pub(super) vocabulary: String,
    pub(super) train: Vec<ShardRecord>,
    pub(super) validation: Vec<ShardRecord>,
    pub(super) statistics: Statistics,
}

/// What went into a corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// Documents that were read, copies included.
    pub documents: u64,
    /// Documents that are exact copies of one before them.
    pub duplicates: u64,
    /// Bytes of text that were turned into tokens.
    pub text_bytes: u64,
    /// Files of folders that were passed over because they are not text.
    pub skipped_files: u64,
}

impl Manifest {
    pub(super) fn new(inputs: String, tokenizer: String, vocabulary: String) -> Self {
        let statistics = Statistics::default();
        Self { version: VERSION, inputs, tokenizer, vocabulary, train: Vec::new(), validation: Vec::new(), statistics }
    }

    /// Reads the manifest of a corpus.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let manifest: Self = serde_json::from_str(&text).map_err(|error| damaged(&path, place(&text, &error), error.to_string()))?;
        if manifest.version != VERSION {
            return Err(damaged(&path, 0, format!("it has version {} and this is version {VERSION}", manifest.version)));
        }
        if let Some(file) = manifest.files().find(|file| !is_ours(file)) {
            return Err(damaged(&path, 0, format!("`{file}` is no file of a corpus")));
        }
        Ok(manifest)
    }

    /// Puts this manifest in the place of the one before, and deletes the files of a corpus that it does not name.
    pub(super) fn commit(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).expect("strings and numbers can be written as JSON");
        durable::replace(&folder.join(FILE), text.as_bytes())?;
        self.delete_others(folder)
    }

    /// The tokens of the shards in `records`, which are held to what is recorded.
    pub(super) fn open(folder: &Path, records: &[ShardRecord]) -> Result<TokenStream> {
        let open = |record: &ShardRecord| {
            let path = folder.join(&record.file);
            let shard = Shard::open(&path)?;
            let found = blake3::Hash::from_bytes(shard.checksum()).to_hex().to_string();
            let same = (shard.tokens(), shard.documents(), found) == (record.tokens, record.documents, record.checksum.clone());
            if same { Ok(shard) } else { Err(damaged(&path, 0, "it is not the shard that the manifest names")) }
        };
        TokenStream::new(records.iter().map(open).collect::<Result<_>>()?)
    }

    fn files(&self) -> impl Iterator<Item = &str> {
        let shards = self.train.iter().chain(&self.validation).map(|record| record.file.as_str());
        shards.chain([self.tokenizer.as_str()])
    }

    /// A file that cannot be deleted stays until the next build: on some systems one that is open.
    fn delete_others(&self, folder: &Path) -> Result<()> {
        let children = fs::read_dir(folder).map_err(Error::io(folder))?;
        let paths: Vec<PathBuf> = children.filter_map(|child| child.ok().map(|child| child.path())).collect();
        for path in paths {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let whole = name.strip_suffix(durable::DRAFT).unwrap_or(name);
            if is_ours(whole) && self.files().all(|file| file != name) {
                fs::remove_file(&path).ok();
            }
        }
        Ok(())
    }
}

/// The name of the tokenizer's file.
pub(super) fn tokenizer_file(fingerprint: &str) -> String {
    format!("tokenizer-{}.json", short(fingerprint))
}

/// What the names of shards begin with: names differ wherever contents do, so that a build never touches the files of the corpus before it.
pub(super) fn shard_prefix(side: &str, inputs: &str) -> String {
    format!("{side}-{}", short(inputs))
}

fn short(digest: &str) -> &str {
    &digest[..16]
}

/// Whether a build could have written a file of this name; nothing else is read, and nothing else is deleted.
fn is_ours(name: &str) -> bool {
    let stem = |prefix: &str, suffix: &str| Some(name.strip_prefix(prefix)?.strip_suffix(suffix)?.to_owned());
    let digest = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let shard = |text: String| {
        text.split_once('-').is_some_and(|(first, number)| digest(first) && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let shards = [stem("train-", ".tokens"), stem("validation-", ".tokens")];
    shards.into_iter().flatten().any(shard) || stem("tokenizer-", ".json").is_some_and(|text| digest(&text))
}

/// The byte of `text` at which reading it failed.
fn place(text: &str, error: &serde_json::Error) -> u64 {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    (before + error.column()).min(text.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        Manifest::new("0123456789abcdef0".to_owned(), tokenizer_file("fedcba9876543210ff"), "fedc".to_owned())
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written_and_damage_has_a_place() {
        let folder = tempfile::tempdir().unwrap();
        manifest().commit(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), manifest());
        let path = folder.path().join(FILE);
        let whole = fs::read_to_string(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let error = Manifest::read(folder.path()).unwrap_err();
            assert!(matches!(error, Error::Damaged { offset, .. } if offset <= length as u64), "{length}: {error}");
        }
        fs::write(&path, whole.replace("\"version\": 1", "\"version\": 2")).unwrap();
        assert!(Manifest::read(folder.path()).is_err());
    }

    #[test]
    fn a_manifest_that_names_other_files_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in
            ["../tokenizer-0123456789abcdef.json", "/etc/passwd", "tokenizer-.json", "notes.json", "train-0123456789abcdef-1/2.tokens"]
        {
            Manifest { tokenizer: name.to_owned(), ..manifest() }.commit(folder.path()).unwrap();
            assert!(matches!(Manifest::read(folder.path()), Err(Error::Damaged { .. })), "{name}");
        }
    }

    #[test]
    fn only_files_of_earlier_builds_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let old =
            ["train-0000000000000000-00000.tokens", "validation-0000000000000000-00007.tokens.draft", "tokenizer-0000000000000000.json"];
        let kept =
            ["train-notes.tokens", "tokenizer.json", "train-0000000000000000-x.tokens", "readme.md", "tokenizer-fedcba9876543210.json"];
        for name in old.iter().chain(&kept) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        manifest().commit(folder.path()).unwrap();
        assert!(old.iter().all(|name| !folder.path().join(name).exists()));
        assert!(kept.iter().all(|name| folder.path().join(name).exists()));
    }
}
