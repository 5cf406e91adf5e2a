//! Prompts: windows of texts.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use jarre_transformer::Tokenizer;

/// How many windows of how many tokens.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) windows: usize,
    pub(super) length: usize,
}

/// Windows of the texts at `paths` that do not overlap, spread evenly. Each begins with the token that begins texts, where the model has one, and
/// lies within one file.
pub(super) fn windows(paths: &[PathBuf], tokenizer: &Tokenizer, bos: Option<u32>, sizes: Sizes) -> Result<Vec<Vec<u32>>> {
    let own = ["README.md", "CONTRIBUTING.md", "docs"].map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name));
    let mut files = Vec::new();
    for path in if paths.is_empty() { &own } else { paths } {
        find(path, &mut files)?;
    }
    let mut pieces = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("{} is no text", file.display()))?;
        pieces.extend(cut(&tokenizer.encode_plain(&text)?, bos, sizes.length));
    }
    let Sizes { windows, length } = sizes;
    ensure!(
        pieces.len() >= windows,
        "the texts hold {} windows of {length} tokens, fewer than --prompts {windows}: name more of them with --text",
        pieces.len()
    );
    Ok(spread(pieces.len(), windows).map(|index| std::mem::take(&mut pieces[index])).collect())
}

/// A file, or the files of a folder and the folders in it, in the order of their names.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut entries = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() || entry.extension().is_some_and(|extension| ["md", "txt", "rst"].iter().any(|text| extension == *text)) {
            find(&entry, files)?;
        }
    }
    Ok(())
}

/// Whole windows of `length` tokens.
fn cut(tokens: &[u32], bos: Option<u32>, length: usize) -> Vec<Vec<u32>> {
    let room = length - usize::from(bos.is_some() && length > 1);
    let first = bos.filter(|_| room < length);
    tokens.chunks_exact(room).map(|piece| first.into_iter().chain(piece.iter().copied()).collect()).collect()
}

/// `wanted` of `count` places, evenly, in order and without doubles.
fn spread(count: usize, wanted: usize) -> impl Iterator<Item = usize> {
    (0..wanted).map(move |index| index * count / wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_whole_and_begin_as_texts_do() {
        assert_eq!(cut(&[1, 2, 3, 4, 5, 6, 7], Some(0), 4), [[0, 1, 2, 3], [0, 4, 5, 6]]);
        assert_eq!(cut(&[1, 2, 3, 4, 5, 6, 7], None, 3), [[1, 2, 3], [4, 5, 6]]);
        assert_eq!(cut(&[1, 2], None, 3), Vec::<Vec<u32>>::new());
    }

    #[test]
    fn places_are_spread_over_all() {
        assert_eq!(spread(10, 4).collect::<Vec<_>>(), [0, 2, 5, 7]);
        for (count, wanted) in [(5, 5), (7, 6), (100, 64)] {
            let places: Vec<usize> = spread(count, wanted).collect();
            assert!(places.windows(2).all(|pair| pair[0] < pair[1]) && places.len() == wanted && places[wanted - 1] < count);
        }
    }

    #[test]
    fn folders_give_their_texts_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("b.md", "b"), ("a.txt", "a"), ("c.svg", "no")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut files = Vec::new();
        find(folder.path(), &mut files).unwrap();
        assert_eq!(files, ["a.txt", "b.md"].map(|name| folder.path().join(name)));
    }
}
