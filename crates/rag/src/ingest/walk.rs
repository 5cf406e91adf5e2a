use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{Limits, Reason, Unreadable};
use crate::{DocId, Format};

/// Folders that hold what tools made from other files.
const SKIPPED: [&str; 2] = ["node_modules", "target"];

/// What a set of folders holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// The files that can be read, ordered by id.
    pub files: Vec<FoundFile>,
    /// How many files were passed over because their format is not read.
    pub unsupported: usize,
    /// Files and folders that could not be looked into.
    pub unreadable: Vec<Unreadable>,
}

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// Its path relative to the root it was found under, with `/` on every system.
    pub id: DocId,
    /// Where it lies.
    pub path: PathBuf,
    /// What its name says it is.
    pub format: Format,
}

/// Lists the files under `roots` that can be read; a root may be a file.
///
/// Hidden files and folders are passed over, as are `target` and `node_modules`. Symbolic links are followed, and no folder is entered
/// twice, so that a loop of links ends. A file without an extension is taken where its content shows its format.
///
/// The id of a file is its path relative to its root. Where two roots would give one id to two files, the ids under both start with the
/// root's folder name, or with as much of the root's path as tells them apart.
pub fn walk(roots: &[PathBuf], limits: &Limits) -> Walk {
    let mut search = Search { limits, seen: HashSet::new(), found: Vec::new(), walk: Walk::default() };
    for (index, root) in roots.iter().enumerate() {
        search.root(index, root);
    }
    let Search { found, mut walk, .. } = search;
    walk.files = with_ids(found, roots);
    walk.unreadable.sort_by(|a, b| a.path.cmp(&b.path));
    walk
}

/// A file before it has an id that is unique over all roots.
struct Found {
    root: usize,
    relative: String,
    path: PathBuf,
    format: Format,
}

/// A folder or file on the way.
struct Entry {
    path: PathBuf,
    relative: String,
    depth: usize,
}

struct Search<'l> {
    limits: &'l Limits,
    seen: HashSet<PathBuf>,
    found: Vec<Found>,
    walk: Walk,
}

impl Search<'_> {
    /// Links wait until every real folder is done: a file is named by where it lies rather than by a link to it.
    fn root(&mut self, root: usize, path: &Path) {
        let mut real = vec![Entry { path: path.to_owned(), relative: String::new(), depth: 0 }];
        let mut linked = Vec::new();
        while let Some(entry) = real.pop().or_else(|| linked.pop()) {
            if let Err(reason) = self.visit(root, &entry, &mut real, &mut linked) {
                self.walk.unreadable.push(Unreadable { path: entry.path.display().to_string(), reason });
            }
        }
    }

    fn visit(&mut self, root: usize, entry: &Entry, real: &mut Vec<Entry>, linked: &mut Vec<Entry>) -> Result<(), Reason> {
        let canonical = fs::canonicalize(&entry.path).map_err(|error| Reason::io(&error))?;
        if !self.seen.insert(canonical) {
            return Ok(());
        }
        if !entry.path.is_dir() {
            return self.file(root, entry).map_err(|error| Reason::io(&error));
        }
        if entry.depth > self.limits.max_depth {
            let detail = format!("more than {} folders deep", self.limits.max_depth);
            return Err(Reason::Unsupported { detail });
        }
        for (child, is_link) in children(entry).map_err(|error| Reason::io(&error))? {
            if is_link { linked.push(child) } else { real.push(child) }
        }
        Ok(())
    }

    fn file(&mut self, root: usize, entry: &Entry) -> io::Result<()> {
        let format = match Format::from_path(&entry.path) {
            None if entry.path.extension().is_none() => Format::sniff(&head(&entry.path)?),
            format => format,
        };
        let Some(format) = format else {
            self.walk.unsupported += 1;
            return Ok(());
        };
        let relative = if entry.relative.is_empty() { file_name(&entry.path) } else { entry.relative.clone() };
        self.found.push(Found { root, relative, path: entry.path.clone(), format });
        Ok(())
    }
}

/// What a folder holds and is not passed over, last name first, each with whether it is a symbolic link.
fn children(folder: &Entry) -> io::Result<Vec<(Entry, bool)>> {
    let mut names = Vec::new();
    for child in fs::read_dir(&folder.path)? {
        let child = child?;
        let name = child.file_name().to_string_lossy().into_owned();
        let kind = child.file_type()?;
        if !name.starts_with('.') && (kind.is_file() || !SKIPPED.contains(&name.as_str())) {
            names.push((name, child.path(), kind.is_symlink()));
        }
    }
    names.sort_by(|a, b| b.cmp(a));
    let below = |name: String| if folder.relative.is_empty() { name } else { format!("{}/{name}", folder.relative) };
    let entry = |(name, path, is_link)| (Entry { path, relative: below(name), depth: folder.depth + 1 }, is_link);
    Ok(names.into_iter().map(entry).collect())
}

/// The first bytes of a regular file; none of a pipe or a device, which might never answer.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if fs::metadata(path)?.is_file() {
        File::open(path)?.take(1024).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn with_ids(found: Vec<Found>, roots: &[PathBuf]) -> Vec<FoundFile> {
    let labels = labels(&colliding(&found), roots);
    let id = |file: &Found| match labels.get(&file.root) {
        Some(label) if roots[file.root].is_file() => label.clone(),
        Some(label) => format!("{label}/{}", file.relative),
        None => file.relative.clone(),
    };
    let named = |file: Found| FoundFile { id: DocId(id(&file)), path: file.path, format: file.format };
    let mut files: Vec<FoundFile> = found.into_iter().map(named).collect();
    files.sort_by(|a, b| a.id.cmp(&b.id));
    files
}

/// The roots that share a relative path with another root.
fn colliding(found: &[Found]) -> Vec<usize> {
    let mut first = BTreeMap::new();
    let mut roots = Vec::new();
    for file in found {
        let owner = *first.entry(file.relative.as_str()).or_insert(file.root);
        if owner != file.root {
            roots.extend([owner, file.root]);
        }
    }
    roots.sort_unstable();
    roots.dedup();
    roots
}

/// For each of `colliding`, the shortest tail of its path that no other of them ends in; the path itself where none tells them apart.
fn labels(colliding: &[usize], roots: &[PathBuf]) -> BTreeMap<usize, String> {
    let parts: Vec<Vec<String>> = colliding.iter().map(|&root| path_parts(&roots[root])).collect();
    let tail = |parts: &[String], length: usize| parts[parts.len().saturating_sub(length)..].join("/");
    let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
    let tells_apart = |&length: &usize| parts.iter().map(|parts| tail(parts, length)).collect::<HashSet<_>>().len() == parts.len();
    let length = (1..longest).find(tells_apart).unwrap_or(longest);
    colliding.iter().zip(&parts).map(|(&root, parts)| (root, tail(parts, length))).collect()
}

/// The names that an absolute path is made of.
fn path_parts(path: &Path) -> Vec<String> {
    let absolute = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = |part: std::path::Component<'_>| match part {
        std::path::Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    };
    absolute.components().filter_map(name).collect()
}
