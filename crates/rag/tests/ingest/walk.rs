//! Finding files.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jarre_rag::{
    DocId, Format,
    ingest::{self, FoundFile, Limits, Reason, Walk},
};
use tempfile::TempDir;

/// A folder with these files, each holding its own path.
fn folder(paths: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for path in paths {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, path).unwrap();
    }
    folder
}

fn walk(roots: &[&Path]) -> Walk {
    let roots: Vec<PathBuf> = roots.iter().map(|root| (*root).to_owned()).collect();
    ingest::walk(&roots, &Limits::default())
}

fn ids(walk: &Walk) -> Vec<&str> {
    walk.files.iter().map(|file| file.id.0.as_str()).collect()
}

#[test]
fn files_are_listed_in_order_and_others_counted() {
    let docs = folder(&[
        "b.md",
        "a/z.HTML",
        "a/b.txt",
        "c.pdf",
        "photo.jpg",
        "Makefile",
        ".hidden.md",
        ".git/x.md",
        "target/doc/y.md",
        "a/node_modules/z.md",
    ]);
    fs::write(docs.path().join("paper"), "%PDF-1.4").unwrap();
    let walk = walk(&[docs.path()]);
    assert_eq!(ids(&walk), ["a/b.txt", "a/z.HTML", "b.md", "c.pdf", "paper"]);
    assert_eq!(
        walk.files.iter().map(|file| file.format).collect::<Vec<_>>(),
        [Format::Text, Format::Html, Format::Markdown, Format::Pdf, Format::Pdf]
    );
    assert_eq!((walk.unsupported, walk.unreadable.len()), (2, 0));
}

#[test]
fn a_root_may_be_a_file_or_missing() {
    let docs = folder(&["a.md"]);
    let walk = walk(&[&docs.path().join("a.md"), &docs.path().join("none")]);
    assert_eq!(ids(&walk), ["a.md"]);
    assert!(matches!(walk.unreadable[0].reason, Reason::Io { kind: std::io::ErrorKind::NotFound, .. }));
    assert!(walk.unreadable[0].to_string().contains("check that it exists"));
}

#[test]
fn roots_lend_their_names_where_ids_would_collide() {
    let base = folder(&["one/a.md", "two/a.md", "two/b.md", "three/c.md"]);
    let root = |name: &str| base.path().join(name);
    assert_eq!(ids(&walk(&[&root("one"), &root("three")])), ["a.md", "c.md"]);
    assert_eq!(ids(&walk(&[&root("one"), &root("two"), &root("three")])), ["c.md", "one/a.md", "two/a.md", "two/b.md"]);
}

#[test]
fn roots_of_one_name_are_told_apart_by_their_parents() {
    let base = folder(&["x/docs/a.md", "y/docs/a.md"]);
    assert_eq!(ids(&walk(&[&base.path().join("x/docs"), &base.path().join("y/docs")])), ["x/docs/a.md", "y/docs/a.md"]);
}

#[test]
fn a_folder_named_twice_is_read_once() {
    let docs = folder(&["a.md", "sub/b.md"]);
    assert_eq!(ids(&walk(&[docs.path(), &docs.path().join("sub"), docs.path()])), ["a.md", "sub/b.md"]);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_end() {
    use std::os::unix::fs::symlink;
    let docs = folder(&["real/a.md", "zoo/b.md"]);
    let outside = folder(&["c.md"]);
    symlink(docs.path(), docs.path().join("real/loop")).unwrap();
    symlink(docs.path().join("zoo"), docs.path().join("alias")).unwrap();
    symlink(outside.path(), docs.path().join("out")).unwrap();
    symlink(docs.path().join("nowhere"), docs.path().join("dangling.md")).unwrap();
    let walk = walk(&[docs.path()]);
    assert_eq!(ids(&walk), ["out/c.md", "real/a.md", "zoo/b.md"]);
    assert_eq!(walk.unreadable.len(), 1);
    assert!(walk.unreadable[0].path.ends_with("dangling.md"));
}

#[test]
fn folders_that_nest_too_deep_are_reported() {
    let docs = folder(&["a/b/c/d.md", "e.md"]);
    let limits = Limits { max_depth: 2, ..Limits::default() };
    let walk = ingest::walk(&[docs.path().to_owned()], &limits);
    assert_eq!(ids(&walk), ["e.md"]);
    assert_eq!(walk.unreadable[0].reason, Reason::Unsupported { detail: "more than 2 folders deep".to_owned() });
}

#[test]
fn content_beats_the_name() {
    let docs = folder(&[]);
    let path = docs.path().join("page.md");
    fs::write(&path, "<!doctype html><title>T</title><p>text").unwrap();
    let document = ingest::read_file(&found(&path), &Limits::default()).unwrap();
    assert_eq!((document.format, document.title.as_deref()), (Format::Html, Some("T")));
    assert_eq!(document.source, path.display().to_string());
    assert_eq!(document.content_hash, ingest::content_hash(&fs::read(&path).unwrap()));
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let docs = folder(&["a.md"]);
    let small = Limits { max_bytes: 3, ..Limits::default() };
    let too_large = ingest::read_file(&found(&docs.path().join("a.md")), &small).unwrap_err();
    assert_eq!(too_large.reason, Reason::TooLarge { bytes: 4, limit: 3 });
    let gone = ingest::read_file(&found(&docs.path().join("gone.md")), &small).unwrap_err();
    assert!(gone.to_string().contains("gone.md: cannot be read"), "{gone}");
}

#[test]
fn a_time_limit_holds() {
    // Takes the parser seconds: it looks up the open elements for each one.
    let page = "<div>".repeat(200_000);
    let hurried = Limits { max_time: Duration::from_millis(20), ..Limits::default() };
    let late = ingest::read_bytes(DocId("a".to_owned()), "a", Format::Html, page.as_bytes(), &hurried).unwrap_err();
    assert_eq!(late.reason, Reason::TimedOut { limit: hurried.max_time });
    assert!(late.to_string().starts_with("a: not read within 0.02 s"), "{late}");
}

fn found(path: &Path) -> FoundFile {
    FoundFile { id: DocId("id".to_owned()), path: path.to_owned(), format: Format::Markdown }
}
