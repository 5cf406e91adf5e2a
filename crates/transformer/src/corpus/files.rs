//! Which files a corpus is read from, and in which order.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Folders that hold what tools made from other files.
const SKIPPED_FOLDERS: [&str; 2] = ["node_modules", "target"];

/// Bytes of a file that show whether it is text.
const HEAD: u64 = 8192;

/// What a list of paths stands for.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// The files to read, in order.
    pub(super) text: Vec<PathBuf>,
    /// Files of folders that are not text.
    pub(super) binary: Vec<PathBuf>,
}

impl Files {
    /// The files that `paths` name, each folder's sorted by path. What is named is taken as it is; what a folder holds is looked at first.
    pub(super) fn find(paths: &[PathBuf]) -> Result<Self> {
        let mut files = Self::default();
        for path in paths {
            let kind = fs::metadata(path).map_err(Error::io(path))?;
            if kind.is_dir() {
                files.add_folder(path)?;
            } else if kind.is_file() {
                files.text.push(path.clone());
            } else {
                return Err(Error::Corpus(format!("{} is neither a file nor a folder", path.display())));
            }
        }
        if files.text.is_empty() {
            let named: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
            return Err(Error::Corpus(format!("no text file was found in [{}]; name files or folders that hold some", named.join(", "))));
        }
        Ok(files)
    }

    fn add_folder(&mut self, root: &Path) -> Result<()> {
        let mut found = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            list(&folder, &mut found, &mut folders)?;
        }
        found.sort();
        for path in found {
            if Format::of(&path).gzip || is_text(&path)? { self.text.push(path) } else { self.binary.push(path) }
        }
        Ok(())
    }
}

/// How a file is read, as its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    /// A JSON object a line, against one text.
    pub(super) json_lines: bool,
    pub(super) gzip: bool,
}

impl Format {
    /// Compressed files are known by two extensions, so that a folder's other archives are not taken for text.
    pub(super) fn of(path: &Path) -> Self {
        let name = PathBuf::from(path.file_name().unwrap_or_default().to_ascii_lowercase());
        let ends_in = |name: &Path, known: &[&str]| name.extension().is_some_and(|extension| known.iter().any(|known| extension == *known));
        let inner = Path::new(name.file_stem().unwrap_or_default());
        let gzip = ends_in(&name, &["gz"]) && ends_in(inner, &["jsonl", "ndjson", "txt", "md"]);
        let name = if gzip { inner } else { &name };
        Self { json_lines: ends_in(name, &["jsonl", "ndjson"]), gzip }
    }
}

/// Sorts what `folder` holds into files and folders. Hidden names are passed over, and symbolic links: they could lead in a circle.
fn list(folder: &Path, files: &mut Vec<PathBuf>, folders: &mut Vec<PathBuf>) -> Result<()> {
    for child in fs::read_dir(folder).map_err(Error::io(folder))? {
        let child = child.map_err(Error::io(folder))?;
        let (name, kind) = (child.file_name(), child.file_type().map_err(Error::io(child.path()))?);
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_file() {
            files.push(child.path());
        } else if kind.is_dir() && !SKIPPED_FOLDERS.iter().any(|skipped| name == *skipped) {
            folders.push(child.path());
        }
    }
    Ok(())
}

/// Whether a file begins as UTF-8 without a zero byte; a character that the head cuts off does not count against it.
fn is_text(path: &Path) -> Result<bool> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(Error::io(path))?;
    file.take(HEAD).read_to_end(&mut head).map_err(Error::io(path))?;
    let utf8 = std::str::from_utf8(&head).map_or_else(|error| error.error_len().is_none(), |_| true);
    Ok(utf8 && !head.contains(&0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[PathBuf], root: &Path) -> Vec<String> {
        paths.iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[test]
    fn a_folder_is_walked_in_order_without_hidden_built_and_binary_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for below in ["b", "a/deep", ".git", "target", "node_modules/x"] {
            fs::create_dir_all(root.join(below)).unwrap();
        }
        for text in ["b/two.rs", "a/deep/one.md", "a/z.txt", "top.md", ".hidden", ".git/config", "target/made.rs", "node_modules/x/y.js"] {
            fs::write(root.join(text), "words").unwrap();
        }
        fs::write(root.join("picture.png"), b"\x89PNG\r\n\x1a\n\0\0\0").unwrap();
        fs::write(root.join("latin.txt"), b"caf\xe9 au lait").unwrap();
        // The head ends inside a character of two bytes.
        fs::write(root.join("a/long.txt"), format!("x{}", "é".repeat(8192))).unwrap();
        let files = Files::find(&[root.to_owned()]).unwrap();
        assert_eq!(names(&files.text, root), ["a/deep/one.md", "a/long.txt", "a/z.txt", "b/two.rs", "top.md"]);
        assert_eq!(names(&files.binary, root), ["latin.txt", "picture.png"]);
    }

    #[test]
    fn paths_that_hold_nothing_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Files::find(&[folder.path().to_owned()]), Err(Error::Corpus(_))));
        assert!(matches!(Files::find(&[]), Err(Error::Corpus(_))));
        let missing = folder.path().join("missing");
        assert!(matches!(Files::find(std::slice::from_ref(&missing)), Err(Error::Io { path, .. }) if path == missing));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_in_a_circle_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("text.txt"), "words").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
        assert_eq!(Files::find(&[folder.path().to_owned()]).unwrap().text.len(), 1);
    }

    #[test]
    fn the_name_says_the_format() {
        let cases = [
            ("a.jsonl", (true, false)),
            ("A.NDJSON.GZ", (true, true)),
            ("b.txt.gz", (false, true)),
            ("c.tar.gz", (false, false)),
            ("d.rs", (false, false)),
        ];
        for (name, (json_lines, gzip)) in cases {
            assert_eq!(Format::of(Path::new(name)), Format { json_lines, gzip }, "{name}");
        }
    }
}
