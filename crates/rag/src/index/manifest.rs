//! The manifest: one small file that says what the committed state is. What it does not name does not exist.

use std::{fs, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    IndexConfig,
    analyzer::ANALYZER,
    storage::{FileRecord, MANIFEST, Part, corrupt, io_error, replace_manifest},
};
use crate::{Error, Result};

/// The layout of the files; raised whenever an older version of this crate would misread them.
const FORMAT: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    format: u32,
    analyzer: String,
    pub(super) config: IndexConfig,
    /// Counts commits.
    pub(super) sequence: u64,
    /// Never given out twice, so that a reader of an older manifest finds its own files or none.
    pub(super) next_segment: u64,
    pub(super) segments: Vec<SegmentRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentRecord {
    pub(super) id: u64,
    pub(super) records: FileRecord,
    pub(super) vectors: FileRecord,
    pub(super) terms: FileRecord,
    /// Positions of the documents that were replaced or removed after the segment was written, ascending.
    pub(super) dead: Vec<u32>,
}

impl Manifest {
    pub(super) fn empty(config: IndexConfig) -> Self {
        Self { format: FORMAT, analyzer: ANALYZER.to_owned(), config, sequence: 0, next_segment: 0, segments: Vec::new() }
    }

    /// What the commit after this one writes.
    pub(super) fn next(&self, next_segment: u64, segments: Vec<SegmentRecord>) -> Self {
        Self { sequence: self.sequence + 1, next_segment, segments, ..self.clone() }
    }

    /// The manifest of `dir` and the bytes it was read from, or `None` where there is none.
    pub(super) fn read(dir: &Path) -> Result<Option<(Self, Vec<u8>)>> {
        let path = dir.join(MANIFEST);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some((Self::decode(&bytes, &path)?, bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("read", &path)(error)),
        }
    }

    pub(super) fn write(&self, dir: &Path) -> Result<()> {
        replace_manifest(dir, &self.encode())
    }

    /// Whether the committed state has a file of this name.
    pub(super) fn names(&self, file: &str) -> bool {
        file == MANIFEST || self.segments.iter().any(|segment| Part::ALL.iter().any(|part| part.file_name(segment.id) == file))
    }

    /// Refuses to mix what another encoder, chunker or analyser made with what `wanted` would add.
    pub(super) fn require(&self, wanted: &IndexConfig, dir: &Path) -> Result<()> {
        let stored = &self.config;
        compare(dir, "encoder", &stored.encoder.fingerprint, &wanted.encoder.fingerprint)?;
        compare(dir, "vector length", &stored.encoder.dims.to_string(), &wanted.encoder.dims.to_string())?;
        compare(dir, "chunker", &stored.chunker, &wanted.chunker)
    }

    /// `{"blake3":"<64 digits>","index":{...}}`: the checksum is over the bytes of the inner object.
    fn encode(&self) -> Vec<u8> {
        let body = serde_json::to_string(self).expect("a manifest has only string keys, so it serialises");
        format!("{OPENING}{}{MIDDLE}{body}{CLOSING}", blake3::hash(body.as_bytes()).to_hex()).into_bytes()
    }

    fn decode(bytes: &[u8], path: &Path) -> Result<Self> {
        let body = checked_body(bytes).ok_or_else(|| corrupt(path, "its checksum does not match"))?;
        let version: Version = serde_json::from_slice(body).map_err(|error| corrupt(path, error.to_string()))?;
        compare(path, "index format", &version.format.to_string(), &FORMAT.to_string())?;
        let manifest: Self = serde_json::from_slice(body).map_err(|error| corrupt(path, error.to_string()))?;
        compare(path, "text analysis", &manifest.analyzer, ANALYZER)?;
        Ok(manifest)
    }
}

const OPENING: &str = "{\"blake3\":\"";
const MIDDLE: &str = "\",\"index\":";
const CLOSING: &str = "}\n";

/// Read before the rest, whose shape depends on it.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

fn checked_body(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(OPENING.as_bytes())?;
    let (stated, rest) = rest.split_at_checked(64)?;
    let body = rest.strip_prefix(MIDDLE.as_bytes())?.strip_suffix(CLOSING.as_bytes())?;
    (blake3::hash(body).to_hex().as_bytes() == stated).then_some(body)
}

fn compare(path: &Path, what: &'static str, stored: &str, wanted: &str) -> Result<()> {
    if stored == wanted {
        return Ok(());
    }
    Err(Error::Mismatch { path: path.to_owned(), what, stored: stored.to_owned(), wanted: wanted.to_owned() })
}
