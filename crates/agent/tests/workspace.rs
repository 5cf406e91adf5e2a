//! Paths, files and folders that try to get out of a workspace, or to hold it up.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt, net::UnixListener},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use jarre_agent::Workspace;
use tempfile::TempDir;

/// A folder with a workspace in `root` and a file outside.
fn outside_and_root() -> (TempDir, Workspace) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("root")).unwrap();
    fs::write(folder.path().join("outside"), "secret").unwrap();
    let workspace = Workspace::open(folder.path().join("root")).unwrap();
    (folder, workspace)
}

fn error<T: std::fmt::Debug>(result: jarre_agent::Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    let (folder, workspace) = outside_and_root();
    let absolute = folder.path().join("outside").display().to_string();
    let inside = folder.path().join("root/x").display().to_string();
    let long = "a/".repeat(3000);
    let name = "a".repeat(256);
    for path in
        ["..", "../outside", "a/../../outside", "./../root/../outside", &absolute, &inside, "/", "a\0b", &long, &name, "", ".", "a/.."]
    {
        assert!(workspace.read(path).is_err(), "{path:?}");
        assert!(workspace.write(path, "x", "test").is_err(), "{path:?}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("outside")).unwrap(), "secret");
    assert!(fs::read_dir(folder.path().join("root")).unwrap().next().is_none(), "nothing was made on the way");
    assert!(workspace.changes().is_empty());
}

#[test]
fn links_are_not_followed() {
    let (folder, workspace) = outside_and_root();
    let root = folder.path().join("root");
    fs::create_dir(root.join("real")).unwrap();
    fs::write(root.join("real/file"), "text").unwrap();
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, root.join(name)).unwrap();
    link("../outside", "file_out");
    link("..", "folder_out");
    link("/proc/self/root", "magic");
    link("real", "folder_in");
    link("real/file", "file_in");
    link("nowhere", "dangling");
    link("loop", "loop");
    for path in
        ["file_out", "folder_out/outside", "magic/etc/passwd", "folder_in/file", "file_in", "dangling", "loop", "loop/x", "dangling/x"]
    {
        assert!(error(workspace.read(path)).contains("links are not followed"), "{path}");
        assert!(error(workspace.write(path, "x", "test")).contains("links are not followed"), "{path}");
    }
    assert!(error(workspace.read("folder_in/file")).contains("a link to `real`"));
    assert_eq!(fs::read_to_string(folder.path().join("outside")).unwrap(), "secret");
    assert!(!root.join("nowhere").exists());
    assert_eq!(workspace.read("real/file").unwrap(), "text");
}

#[test]
fn what_is_no_regular_file_is_not_opened_and_nothing_waits() {
    let (folder, workspace) = outside_and_root();
    let root = folder.path().join("root");
    assert!(Command::new("mkfifo").arg(root.join("pipe")).status().unwrap().success());
    let _socket = UnixListener::bind(root.join("socket")).unwrap();
    fs::create_dir(root.join("folder")).unwrap();
    for path in ["pipe", "socket", "folder"] {
        assert!(workspace.read(path).is_err(), "{path}");
        assert!(workspace.write(path, "x", "test").is_err(), "{path}");
        assert!(workspace.write(&format!("{path}/../pipe/x"), "x", "test").is_err());
    }
    assert_eq!(error(workspace.read("pipe")), "`pipe`: it is not a regular file");
    assert_eq!(error(workspace.read("pipe/x")), "`pipe`: it is not a folder");
}

#[test]
fn only_texts_of_a_size_are_read_and_replaced() {
    let (folder, workspace) = outside_and_root();
    let workspace = workspace.with_file_bytes(10);
    let root = folder.path().join("root");
    fs::write(root.join("large"), "01234567890").unwrap();
    fs::write(root.join("binary"), b"\x7fELF\0").unwrap();
    fs::write(root.join("latin"), b"a\nb\xe9").unwrap();
    // A file of 1 TiB that takes no space.
    fs::File::create(root.join("huge")).unwrap().set_len(1 << 40).unwrap();
    assert!(error(workspace.read("large")).contains("larger than the 10 bytes"));
    assert!(error(workspace.read("huge")).contains("larger than the 10 bytes"));
    assert_eq!(error(workspace.read("binary")), "`binary`: it is a binary file");
    assert_eq!(error(workspace.read("latin")), "`latin`: it is not UTF-8: byte 3, in line 2, begins no character");
    assert!(error(workspace.write("new", "01234567890", "test")).contains("larger than"));
    for path in ["large", "binary", "latin"] {
        assert!(workspace.write(path, "x", "test").is_err(), "what cannot be told afterwards is not overwritten: {path}");
    }
    assert_eq!(error(workspace.read("missing")), "`missing`: there is no such file");
    assert_eq!(error(workspace.read("missing/x")), "`missing`: there is no such folder");
}

#[test]
fn a_file_is_replaced_at_once_and_keeps_its_mode() {
    let (folder, workspace) = outside_and_root();
    let root = folder.path().join("root");
    workspace.write("bin/tool", "one\n", "first").unwrap();
    fs::set_permissions(root.join("bin/tool"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::hard_link(root.join("bin/tool"), folder.path().join("other_name")).unwrap();
    let change = workspace.write("./bin/../bin/tool", "one\ntwo\n", "second").unwrap();
    assert_eq!((change.path.as_str(), change.added, change.removed), ("bin/tool", 1, 0));
    assert_eq!(fs::metadata(root.join("bin/tool")).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_to_string(folder.path().join("other_name")).unwrap(), "one\n", "a name outside keeps what it had");
    assert_eq!(fs::read_dir(root.join("bin")).unwrap().count(), 1, "nothing is left over");
    let changes = workspace.clone().changes();
    assert_eq!(changes.iter().map(|change| change.by.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    assert_eq!((changes[0].before.as_ref(), changes[1].before.as_ref()), (None, Some(&changes[0].after)));
}

#[test]
fn what_is_hidden_is_not_there() {
    let (_folder, workspace) = outside_and_root();
    workspace.write("secrets/key", "k", "test").unwrap();
    let workspace = workspace.hiding("secrets/**").hiding("**/*.pem");
    for path in ["secrets/key", "x/../secrets/./key", "secrets", "a/b.pem", "secrets/new/deeper"] {
        assert!(error(workspace.read(path)).contains("kept from you"), "{path}");
        assert!(error(workspace.write(path, "x", "test")).contains("kept from you"), "{path}");
    }
}

#[test]
fn a_folder_that_is_exchanged_for_a_link_meanwhile_leads_nowhere() {
    let (folder, workspace) = outside_and_root();
    let root = folder.path().join("root");
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    fs::write(folder.path().join("elsewhere/file"), "secret").unwrap();
    fs::create_dir(root.join("a")).unwrap();
    fs::write(root.join("a/file"), "text").unwrap();
    std::os::unix::fs::symlink("../elsewhere", root.join("b")).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for (from, to) in [("a", "c"), ("b", "a"), ("a", "b"), ("c", "a")] {
                    fs::rename(root.join(from), root.join(to)).unwrap();
                }
            }
        });
        for _ in 0..2000 {
            if let Ok(text) = workspace.read("a/file") {
                assert_eq!(text, "text");
            }
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn names_that_are_no_text_do_no_harm() {
    let (folder, workspace) = outside_and_root();
    let root = folder.path().join("root");
    fs::write(root.join(OsStr::from_bytes(b"bad\xff")), "x").unwrap();
    fs::write(root.join("esc\x1b[31m\n"), "x").unwrap();
    assert!(workspace.read("bad\u{fffd}").is_err());
    assert_eq!(workspace.read("esc\x1b[31m\n").unwrap(), "x");
}
