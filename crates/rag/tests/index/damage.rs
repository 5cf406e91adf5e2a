//! A file that is not what was committed is an error that names it, and never a panic or a wrong answer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jarre_rag::{
    Error,
    index::{Index, Snapshot},
};
use tempfile::TempDir;

use crate::fixture::{config, document, open, put};

fn two_segments() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path()).writer().unwrap();
    put(&mut writer, "a", "harbour ferries\nengine room\n");
    writer.commit().unwrap();
    put(&mut writer, "b", "borrow checker\n");
    writer.commit().unwrap();
    dir
}

fn committed_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.file_name().unwrap().to_str().unwrap().starts_with("lock"));
    files.sort();
    assert_eq!(files.len(), 7, "a manifest and three files for each of two segments");
    files
}

fn assert_refused(dir: &Path, path: &Path) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let read = Snapshot::open(dir).unwrap_err();
    assert!(matches!(read, Error::Corrupt { .. } | Error::Io { .. }) && read.to_string().contains(name), "{name}: {read}");
    assert!(Index::open_or_create(dir, config()).and_then(|index| index.writer()).is_err(), "{name}");
}

#[test]
fn a_truncated_file_is_refused_at_every_length() {
    let dir = two_segments();
    for path in committed_files(dir.path()) {
        let whole = fs::read(&path).unwrap();
        for length in (0..whole.len()).step_by(13).chain([whole.len() - 1]) {
            fs::write(&path, &whole[..length]).unwrap();
            assert_refused(dir.path(), &path);
        }
        fs::write(&path, [&whole, b"\n".as_slice()].concat()).unwrap();
        assert_refused(dir.path(), &path);
        fs::write(&path, whole).unwrap();
    }
    Snapshot::open(dir.path()).unwrap();
}

#[test]
fn a_flipped_bit_is_refused_wherever_it_is() {
    let dir = two_segments();
    for path in committed_files(dir.path()) {
        let whole = fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(3) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, flipped).unwrap();
            assert_refused(dir.path(), &path);
        }
        fs::write(&path, whole).unwrap();
    }
    Snapshot::open(dir.path()).unwrap();
}

#[test]
fn a_missing_segment_file_is_named_and_a_missing_manifest_is_no_index() {
    let dir = two_segments();
    let files = committed_files(dir.path());
    for path in files.iter().filter(|path| path.extension().unwrap() != "json") {
        let whole = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        assert_refused(dir.path(), path);
        fs::write(path, whole).unwrap();
    }
    fs::remove_file(dir.path().join("manifest.json")).unwrap();
    assert!(matches!(Snapshot::open(dir.path()), Err(Error::NoIndex { .. })));
}

/// A checksum protects against accidents, not against an author: content that was signed is still held to its invariants.
#[test]
fn signed_nonsense_is_refused() {
    let dir = two_segments();
    let records = dir.path().join("segment-00000001.records");
    let original = fs::read_to_string(&records).unwrap();
    let changed = [
        ("\"start\":0", "\"start\":14"),
        ("\"end\":14", "\"end\":900"),
        ("\"ordinal\":0", "\"ordinal\":1"),
        ("\"terms\":[2]", "\"terms\":[2,2]"),
        ("}\n", "\n"),
    ];
    for (from, to) in changed {
        assert!(original.contains(from), "{from} in {original}");
        replace_and_sign(dir.path(), &records, original.replacen(from, to, 1).as_bytes());
        assert_refused(dir.path(), &records);
    }
    replace_and_sign(dir.path(), &records, original.as_bytes());
    Snapshot::open(dir.path()).unwrap();
    for part in ["vectors", "terms"] {
        let path = dir.path().join(format!("segment-00000001.{part}"));
        let whole = fs::read(&path).unwrap();
        for nonsense in
            [&b""[..], b"{\"files\":[]}\n", b"{\"files\":[[\"meta.json\",99999999999]]}\n", &whole[..whole.len() / 2], &[0xff; 64]]
        {
            replace_and_sign(dir.path(), &path, nonsense);
            assert_refused(dir.path(), &path);
        }
        replace_and_sign(dir.path(), &path, &whole);
    }
    Snapshot::open(dir.path()).unwrap();
}

#[test]
fn signed_bit_flips_never_panic() {
    let dir = two_segments();
    for part in ["records", "vectors", "terms"] {
        let path = dir.path().join(format!("segment-00000001.{part}"));
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            replace_and_sign(dir.path(), &path, &flipped);
            if let Ok(snapshot) = Snapshot::open(dir.path()) {
                snapshot.sparse("borrow checker", 5, None).unwrap();
                snapshot.digest().unwrap();
                snapshot.chunks().for_each(|(document, chunk)| assert!(chunk.span.of(&document.text).is_some()));
            }
        }
        replace_and_sign(dir.path(), &path, &whole);
    }
}

/// Puts `content` in place of a committed file, and its length and hash in the manifest.
fn replace_and_sign(dir: &Path, path: &Path, content: &[u8]) {
    let manifest = dir.join("manifest.json");
    let before = fs::read(path).unwrap();
    let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let record = |bytes: &[u8]| format!("{{\"bytes\":{},\"blake3\":\"{}\"}}", bytes.len(), hash(bytes));
    let text = fs::read_to_string(&manifest).unwrap();
    let body = text.split_once("\"index\":").unwrap().1.strip_suffix("}\n").unwrap();
    assert!(body.contains(&record(&before)));
    sign_manifest(&manifest, &body.replace(&record(&before), &record(content)));
    fs::write(path, content).unwrap();
}

fn sign_manifest(manifest: &Path, body: &str) {
    fs::write(manifest, format!("{{\"blake3\":\"{}\",\"index\":{body}}}\n", blake3::hash(body.as_bytes()).to_hex())).unwrap();
}

#[test]
fn another_format_or_analysis_says_how_to_rebuild() {
    for (from, to) in [("\"format\":1", "\"format\":2"), ("stems: 1", "stems: 2")] {
        let dir = two_segments();
        let manifest = dir.path().join("manifest.json");
        let text = fs::read_to_string(&manifest).unwrap();
        let body = text.split_once("\"index\":").unwrap().1.strip_suffix("}\n").unwrap();
        sign_manifest(&manifest, &body.replacen(from, to, 1));
        let error = Snapshot::open(dir.path()).unwrap_err();
        assert!(matches!(error, Error::Mismatch { .. }) && error.to_string().contains("--rebuild"), "{error}");
        Index::recreate(dir.path(), config()).unwrap().writer().unwrap();
    }
}

#[test]
fn a_damaged_index_can_be_rebuilt() {
    let dir = two_segments();
    fs::write(dir.path().join("manifest.json"), b"{}").unwrap();
    let index = Index::recreate(dir.path(), config()).unwrap();
    assert!(index.snapshot().unwrap().is_empty());
    let mut writer = index.writer().unwrap();
    put(&mut writer, "a", &document("a", "harbour\n").text);
    assert_eq!(writer.commit().unwrap().len(), 1);
}
