//! Damage to the files of an index, as disks, editors and attackers do it.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use arbitrary::Arbitrary;
use serde_json::Value;

const MANIFEST: &str = "manifest.json";

/// What happens to one file of an index.
#[derive(Arbitrary, Clone, Debug)]
pub struct Damage {
    file: u8,
    change: Change,
    /// Whether the checksums are made to agree with the damage, as somebody who means harm would: then the decoders behind them see it.
    /// The term index is never resealed: tantivy trusts its files, and the checksum is what keeps damage from it.
    reseal: bool,
}

#[derive(Arbitrary, Clone, Debug)]
enum Change {
    Remove,
    Truncate { at: u16 },
    Flip { at: u16, mask: u8 },
    Overwrite { at: u16, with: Vec<u8> },
    Insert { at: u16, what: Vec<u8> },
    Replace { with: Vec<u8> },
    CopyFrom { other: u8 },
}

/// The files of a committed index, and a folder where damaged copies of it are made.
#[derive(Debug)]
pub struct Specimen {
    dir: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
}

impl Specimen {
    /// Takes the index in `dir`, whose files it will overwrite.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn take(dir: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?);
        }
        Ok(Self { dir: dir.to_owned(), files })
    }

    /// Where the index lies.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Damages the index, calls `look`, and mends it again. Says `None`, without a call, where the damage would change nothing.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn damaged<T>(&self, damage: &Damage, look: impl FnOnce(&Path) -> T) -> io::Result<Option<T>> {
        let (name, before) = self.pick(damage.file);
        let after = self.change(before, &damage.change);
        if after.as_ref() == Some(before) {
            return Ok(None);
        }
        match &after {
            None => fs::remove_file(self.dir.join(name))?,
            Some(bytes) => self.write_damaged(name, bytes, self.is_resealed(damage))?,
        }
        let result = look(&self.dir);
        self.mend(name)?;
        Ok(Some(result))
    }

    /// Whether the checksums agree with what the damage leaves.
    pub fn is_resealed(&self, damage: &Damage) -> bool {
        damage.reseal && !self.pick(damage.file).0.ends_with(".terms")
    }

    fn pick(&self, index: u8) -> (&str, &Vec<u8>) {
        let (name, bytes) = self.files.iter().nth(usize::from(index) % self.files.len()).expect("an index has a manifest at least");
        (name, bytes)
    }

    fn change(&self, before: &[u8], change: &Change) -> Option<Vec<u8>> {
        let place = |at: u16| usize::from(at) % (before.len() + 1);
        let mut after = before.to_vec();
        match change {
            Change::Remove => return None,
            Change::Truncate { at } => after.truncate(place(*at)),
            Change::Flip { at, mask } => after.get_mut(place(*at)).into_iter().for_each(|byte| *byte ^= mask),
            Change::Overwrite { at, with } => after[place(*at)..].iter_mut().zip(with).for_each(|(byte, new)| *byte = *new),
            Change::Insert { at, what } => drop(after.splice(place(*at)..place(*at), what.iter().copied())),
            Change::Replace { with } => after.clone_from(with),
            Change::CopyFrom { other } => after.clone_from(self.pick(*other).1),
        }
        Some(after)
    }

    fn write_damaged(&self, name: &str, bytes: &[u8], reseal: bool) -> io::Result<()> {
        match (name, reseal) {
            (MANIFEST, true) => fs::write(self.dir.join(MANIFEST), reseal_manifest(bytes).unwrap_or_else(|| bytes.to_vec())),
            (_, true) => {
                fs::write(self.dir.join(name), bytes)?;
                fs::write(self.dir.join(MANIFEST), self.manifest_with(name, bytes))
            }
            (_, false) => fs::write(self.dir.join(name), bytes),
        }
    }

    fn mend(&self, name: &str) -> io::Result<()> {
        [name, MANIFEST].into_iter().try_for_each(|name| fs::write(self.dir.join(name), &self.files[name]))
    }

    /// The manifest that would stand where `bytes` had been committed as `name`.
    fn manifest_with(&self, name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut manifest: Value = serde_json::from_slice(&self.files[MANIFEST]).expect("a committed manifest is JSON");
        let before = blake3::hash(&self.files[name]).to_hex().to_string();
        swap_record(&mut manifest["index"], &before, bytes);
        seal(&manifest["index"].to_string())
    }
}

/// Replaces length and hash wherever the file with hash `before` is recorded.
fn swap_record(value: &mut Value, before: &str, bytes: &[u8]) {
    match value {
        Value::Object(fields) if fields.get("blake3").is_some_and(|hash| hash == before) => {
            fields.insert("blake3".to_owned(), blake3::hash(bytes).to_hex().to_string().into());
            fields.insert("bytes".to_owned(), bytes.len().into());
        }
        Value::Object(fields) => fields.values_mut().for_each(|value| swap_record(value, before, bytes)),
        Value::Array(values) => values.iter_mut().for_each(|value| swap_record(value, before, bytes)),
        _ => {}
    }
}

/// A damaged manifest whose outer frame still stands gets the checksum of what is inside.
fn reseal_manifest(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let body = text.split_once(",\"index\":")?.1.strip_suffix("}\n")?;
    Some(seal(body))
}

fn seal(body: &str) -> Vec<u8> {
    format!("{{\"blake3\":\"{}\",\"index\":{body}}}\n", blake3::hash(body.as_bytes()).to_hex()).into_bytes()
}
