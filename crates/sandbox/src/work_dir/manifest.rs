use std::{
    collections::BTreeMap,
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{Changes, apply};
use crate::machine;

/// What a folder held at some time: names, kinds, and what files said, by a hash whose key is not known to whoever writes the files.
#[derive(Clone, Debug, Default)]
pub(super) struct Manifest {
    pub(super) entries: BTreeMap<PathBuf, Entry>,
    key: RandomState,
}

/// Something in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Folder,
    File {
        hash: u64,
        length: u64,
        executable: bool,
    },
    Link(PathBuf),
    /// A pipe, a socket, a device, or a file that cannot be read.
    Other,
}

impl Manifest {
    /// What `root` holds now.
    pub(super) fn of(root: &Path, key: RandomState, most: u64) -> io::Result<Self> {
        let mut found = Vec::new();
        machine::walk(root, most, &mut |path, metadata| found.push((path.to_owned(), metadata.clone())))?;
        let mut manifest = Self { entries: BTreeMap::new(), key };
        for (path, metadata) in found {
            let entry = if metadata.is_dir() {
                Entry::Folder
            } else if metadata.is_symlink() {
                std::fs::read_link(root.join(&path)).map_or(Entry::Other, Entry::Link)
            } else if metadata.is_file() {
                manifest.read(root, &path, machine::is_executable(&metadata)).unwrap_or(Entry::Other)
            } else {
                Entry::Other
            };
            manifest.entries.insert(path, entry);
        }
        Ok(manifest)
    }

    /// The key of its hashes, with which others can be compared.
    pub(super) fn key(&self) -> RandomState {
        self.key.clone()
    }

    /// The entry of a file that says `text`.
    pub(super) fn file(&self, text: &[u8], executable: bool) -> Entry {
        let mut hasher = self.key.build_hasher();
        hasher.write(text);
        Entry::File { hash: hasher.finish(), length: text.len() as u64, executable }
    }

    fn read(&self, root: &Path, path: &Path, executable: bool) -> io::Result<Entry> {
        let mut file = machine::open(root, path)?;
        let (mut hasher, mut length, mut buffer) = (self.key.build_hasher(), 0, vec![0; 64 << 10]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(Entry::File { hash: hasher.finish(), length, executable }),
                count => {
                    hasher.write(&buffer[..count]);
                    length += count as u64;
                }
            }
        }
    }

    /// How `now` differs.
    pub(super) fn changes(&self, now: &Self) -> Changes {
        let mut changes = Changes::default();
        for (path, entry) in &now.entries {
            let before = self.entries.get(path);
            let list = match entry {
                _ if before == Some(entry) => continue,
                Entry::Folder => continue,
                Entry::Other => &mut changes.refused,
                Entry::Link(target) if apply::leads_out(path, target) => &mut changes.refused,
                _ if before.is_some_and(|before| *before != Entry::Folder) => &mut changes.changed,
                _ => &mut changes.added,
            };
            list.push(path.clone());
        }
        for (path, entry) in &self.entries {
            let gone = !matches!(now.entries.get(path), Some(Entry::File { .. } | Entry::Link(_) | Entry::Other));
            if gone && !matches!(entry, Entry::Folder | Entry::Other) {
                changes.deleted.push(path.clone());
            }
        }
        changes
    }
}
