use std::{
    collections::{BTreeMap, BTreeSet},
    fs::Metadata,
    hash::{BuildHasher, Hasher, RandomState},
    io::{self, Read},
    path::{Component, Path, PathBuf},
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
    /// What `root` holds now, where that is at most so many files and folders, and so many bytes as the lengths of its files say: a file may be
    /// far longer than what it takes on a disk.
    pub(super) fn of(root: &Path, key: RandomState, (most, most_bytes): (u64, u64)) -> io::Result<Self> {
        let mut found = Vec::new();
        machine::walk(root, most, &mut |path, metadata| found.push((path.to_owned(), metadata.clone())))?;
        let files = found.iter().filter(|(_, metadata)| metadata.is_file());
        let bytes = files.fold(0_u64, |bytes, (_, file)| bytes.saturating_add(file.len()));
        if bytes > most_bytes {
            let why = format!("its files have {bytes} bytes, and at most {most_bytes} are taken; raise `copied_bytes` for more");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
        }
        let mut manifest = Self { entries: BTreeMap::new(), key };
        for (path, metadata) in found {
            let entry = if metadata.is_dir() {
                Entry::Folder
            } else if metadata.is_symlink() {
                std::fs::read_link(root.join(&path)).map_or(Entry::Other, Entry::Link)
            } else if metadata.is_file() {
                manifest.read(root, &path, &metadata).unwrap_or(Entry::Other)
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

    /// Of a file that grows meanwhile, what it had.
    fn read(&self, root: &Path, path: &Path, metadata: &Metadata) -> io::Result<Entry> {
        let mut file = machine::open(root, path)?.take(metadata.len());
        let (mut hasher, mut length, mut buffer) = (self.key.build_hasher(), 0, vec![0; 64 << 10]);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(Entry::File { hash: hasher.finish(), length, executable: machine::is_executable(metadata) }),
                count => {
                    hasher.write(&buffer[..count]);
                    length += count as u64;
                }
            }
        }
    }

    /// Whether the link at `path` leads out of the folder, itself or through other links in it. Each link may walk up from where it is and then
    /// down, by names that may be links again: with no step up after a step down, names tell where it leads.
    fn leads_out(&self, path: &Path) -> bool {
        let mut here = path.to_owned();
        // More than the kernel follows.
        for _ in 0..64 {
            let Some((at, target)) = here.ancestors().filter_map(|at| Some((at, self.link(at)?))).last() else { return false };
            let rest = here.strip_prefix(at).unwrap_or(Path::new(""));
            match apply::leads_to(at, target) {
                Some(place) => here = place.join(rest),
                None => return true,
            }
        }
        false
    }

    /// The links through which the one at `path` leads out of the folder in truth; none where it does not.
    fn way_out<'a>(&'a self, path: &'a Path) -> BTreeSet<PathBuf> {
        let (mut here, mut passed) = (PathBuf::new(), Vec::new());
        let mut ahead: Vec<Component<'a>> = path.components().rev().collect();
        // At most as many links as above.
        while let (Some(part), true) = (ahead.pop(), passed.len() < 64) {
            match part {
                Component::Normal(name) => {
                    here.push(name);
                    if let Some(target) = self.link(&here) {
                        passed.push(here.clone());
                        here.pop();
                        ahead.extend(target.components().rev());
                    }
                }
                Component::ParentDir if here.pop() => {}
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return passed.into_iter().collect(),
            }
        }
        BTreeSet::new()
    }

    /// Links of `now` that turn one outwards that was there before and stayed inside: it may walk up from a name that is a link now.
    fn turning(&self, now: &Self) -> BTreeSet<PathBuf> {
        let kept = self.entries.iter().filter(|(path, entry)| matches!(entry, Entry::Link(_)) && now.entries.get(*path) == Some(*entry));
        kept.filter(|(path, _)| self.way_out(path).is_empty()).flat_map(|(path, _)| now.way_out(path)).collect()
    }

    fn link(&self, path: &Path) -> Option<&Path> {
        match self.entries.get(path) {
            Some(Entry::Link(target)) => Some(target),
            _ => None,
        }
    }

    /// How `now` differs.
    pub(super) fn changes(&self, now: &Self) -> Changes {
        let mut changes = Changes::default();
        let turning = self.turning(now);
        for (path, entry) in &now.entries {
            let before = self.entries.get(path);
            let list = match entry {
                _ if before == Some(entry) => continue,
                Entry::Folder => continue,
                Entry::Other => &mut changes.refused,
                Entry::Link(_) if now.leads_out(path) || turning.contains(path) => &mut changes.refused,
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
