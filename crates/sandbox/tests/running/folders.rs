use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::PathBuf,
};

use jarre_sandbox::{Changes, Error, SandboxConfig};

use crate::place::{sandbox, sandbox_of, shell};

fn paths(names: &[&str]) -> Vec<PathBuf> {
    names.iter().map(PathBuf::from).collect()
}

#[test]
fn what_was_changed_is_told_and_carried_over() {
    let Some(sandbox) = sandbox() else { return };
    let original = tempfile::tempdir().unwrap();
    let at = |name: &str| original.path().join(name);
    fs::create_dir_all(at("a/b")).unwrap();
    for (name, text) in [("same", "1"), ("a/changed", "2"), ("a/b/gone", "3"), ("mode", "4"), ("same length", "5")] {
        fs::write(at(name), text).unwrap();
    }
    let copy = sandbox.copy_of(original.path()).unwrap();
    assert!(copy.changes().unwrap().is_empty());
    let script = "set -e; echo two > a/changed; rm -r a/b; mkdir -p new/deep; echo n > new/deep/file; chmod +x mode
        touch -r 'same length' stamp; printf 6 > 'same length'; touch -r stamp 'same length'; rm stamp; touch same; ln -s same link";
    let execution = shell(&sandbox, &copy, script);
    assert!(execution.succeeded(), "{execution}");
    let expected = Changes {
        added: paths(&["link", "new/deep/file"]),
        changed: paths(&["a/changed", "mode", "same length"]),
        deleted: paths(&["a/b/gone"]),
        refused: Vec::new(),
    };
    assert_eq!(copy.changes().unwrap(), expected);
    assert_eq!(fs::read_to_string(at("a/changed")).unwrap(), "2", "the original is left alone until then");
    assert_eq!(copy.apply_to(original.path()).unwrap(), expected);
    assert_eq!(fs::read_to_string(at("a/changed")).unwrap(), "two\n");
    assert_eq!(fs::read_to_string(at("new/deep/file")).unwrap(), "n\n");
    assert_eq!(fs::read_to_string(at("same length")).unwrap(), "6");
    assert_eq!(fs::read_link(at("link")).unwrap(), PathBuf::from("same"));
    assert!(!at("a/b").exists() && fs::metadata(at("mode")).unwrap().permissions().mode() & 0o111 != 0);
}

#[test]
fn copies_have_a_largest_size() {
    let original = tempfile::tempdir().unwrap();
    fs::write(original.path().join("a"), vec![0; 2000]).unwrap();
    fs::write(original.path().join("b"), "").unwrap();
    let mut config = SandboxConfig::default();
    config.copied_bytes = 1999;
    let Some(sandbox) = sandbox_of(config.clone()) else { return };
    assert!(matches!(sandbox.copy_of(original.path()), Err(Error::Invalid(why)) if why.contains("2000 bytes")));
    (config.copied_bytes, config.copied_files) = (2000, 1);
    let Some(sandbox) = sandbox_of(config) else { return };
    assert!(matches!(sandbox.copy_of(original.path()), Err(Error::Invalid(_))));
}

#[test]
fn files_that_are_long_and_hold_nothing_are_not_read() {
    let mut config = SandboxConfig::default();
    config.copied_bytes = 1 << 20;
    let Some(sandbox) = sandbox_of(config) else { return };
    let (dir, target) = (sandbox.empty_dir().unwrap(), tempfile::tempdir().unwrap());
    assert!(shell(&sandbox, &dir, "for name in 1 2 3 4; do truncate -s 1M $name; done").succeeded());
    assert_eq!(dir.changes().unwrap().added, paths(&["1", "2", "3", "4"]));
    // Nearly nothing on the disk; each below the limit on a file's size.
    assert!(shell(&sandbox, &dir, "for name in 5 6 7 8; do truncate -s 60M $name; done").succeeded());
    let told = |error: &Error| matches!(error, Error::Invalid(why) if why.contains("255852544 bytes") && why.contains("copied_bytes"));
    assert!(dir.changes().is_err_and(|error| told(&error)) && dir.apply_to(target.path()).is_err_and(|error| told(&error)));
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0);
}

#[test]
fn links_that_lead_out_by_way_of_others_are_not_carried_over() {
    let Some(sandbox) = sandbox() else { return };
    let (original, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(outside.path(), original.path().join("door")).unwrap();
    fs::create_dir(original.path().join("d3")).unwrap();
    std::os::unix::fs::symlink("../door", original.path().join("d3/way")).unwrap();
    let copy = sandbox.copy_of(original.path()).unwrap();
    let script =
        "set -e; mkdir -p d1/d2; echo x > d1/d2/file; ln -s .. d1/d2/A; ln -s d1/d2/A/../.. B; ln -s door/secret C; ln -s d3/way/x D
        ln -s ../d2/A/d2/file d1/d2/E; ln -s B/x F; ln -s d1/d2/A G; ln -s G/d2/H H; ln -s H I";
    assert!(shell(&sandbox, &copy, script).succeeded());
    let changes = copy.apply_to(original.path()).unwrap();
    assert_eq!(changes.refused, paths(&["B", "C", "D", "F"]));
    assert_eq!(changes.added, paths(&["G", "H", "I", "d1/d2/A", "d1/d2/E", "d1/d2/file"]));
    assert_eq!(fs::read_to_string(original.path().join("d1/d2/E")).unwrap(), "x\n");
    assert!(changes.refused.iter().all(|path| original.path().join(path).symlink_metadata().is_err()));
}

#[test]
fn links_that_turn_others_outwards_are_not_carried_over() {
    let Some(sandbox) = sandbox() else { return };
    let original = tempfile::tempdir().unwrap();
    fs::create_dir_all(original.path().join("d/e")).unwrap();
    fs::write(original.path().join("d/e/f"), "x").unwrap();
    for (target, name) in [("d/../x", "old"), ("d/e/../e/f", "fine")] {
        std::os::unix::fs::symlink(target, original.path().join(name)).unwrap();
    }
    let copy = sandbox.copy_of(original.path()).unwrap();
    assert!(copy.changes().unwrap().is_empty());
    // From there `old` is beside the folder, though neither link has a step too many.
    assert!(shell(&sandbox, &copy, "set -e; rm -r d; ln -s . d; ln -s d g").succeeded());
    let changes = copy.apply_to(original.path()).unwrap();
    assert_eq!((changes.refused, changes.added, changes.deleted), (paths(&["d"]), paths(&["g"]), paths(&["d/e/f"])));
    assert!(original.path().join("d").symlink_metadata().is_err());
    // A link that moves what others walk up from, and keeps them inside, is carried over.
    let copy = sandbox.copy_of(original.path()).unwrap();
    assert!(shell(&sandbox, &copy, "set -e; mkdir -p h/i; ln -s h/i d; echo x > h/x; echo k > h/i/k").succeeded());
    let changes = copy.apply_to(original.path()).unwrap();
    assert_eq!((changes.refused, changes.added), (Vec::new(), paths(&["d", "h/i/k", "h/x"])));
    assert_eq!(fs::read_to_string(original.path().join("old")).unwrap(), "x\n");
}

#[test]
fn what_is_carried_over_keeps_owner_and_mode() {
    let Some(sandbox) = sandbox() else { return };
    let original = tempfile::tempdir().unwrap();
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let cases =
        [("secret", 0o600, 0o600), ("theirs", 0o640, 0o750), ("program", 0o711, 0o600), ("open", 0o666, 0o666), ("run", 0o700, 0o700)];
    for (name, mode, _) in cases {
        fs::write(original.path().join(name), "before").unwrap();
        fs::set_permissions(original.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        if root {
            chown(original.path().join(name), Some(4321), Some(4322)).unwrap();
        }
    }
    let copy = sandbox.copy_of(original.path()).unwrap();
    let script = "for name in *; do echo after > $name; done; chmod +x theirs; chmod -x program; echo new > new";
    assert!(shell(&sandbox, &copy, script).succeeded());
    copy.apply_to(original.path()).unwrap();
    for (name, _, mode) in cases.into_iter().chain([("new", 0, 0o644)]) {
        let there = fs::metadata(original.path().join(name)).unwrap();
        assert_eq!(there.permissions().mode() & 0o7777, mode, "{name}");
        let (user, group) = if name == "new" { (0, 0) } else { (4321, 4322) };
        assert!(!root || (there.uid(), there.gid()) == (user, group), "{name}");
    }
}

#[test]
fn carrying_over_does_not_go_through_links_of_the_target() {
    let Some(sandbox) = sandbox() else { return };
    let (target, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dir = sandbox.empty_dir().unwrap();
    assert!(shell(&sandbox, &dir, "mkdir a && echo x > a/file").succeeded());
    std::os::unix::fs::symlink(outside.path(), target.path().join("a")).unwrap();
    assert!(matches!(dir.apply_to(target.path()), Err(Error::Invalid(_))));
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn files_are_put_in_and_taken_out() {
    let Some(sandbox) = sandbox() else { return };
    let mut dir = sandbox.empty_dir().unwrap();
    dir.write(&sandbox, "src/lib.rs".as_ref(), b"fn main() {}").unwrap();
    assert!(dir.changes().unwrap().is_empty(), "it began so");
    assert!(shell(&sandbox, &dir, "cat src/lib.rs > out && echo more >> src/lib.rs && touch src/new").succeeded());
    assert_eq!(dir.read("out".as_ref(), 100).unwrap(), b"fn main() {}");
    assert!(dir.read("out".as_ref(), 5).is_err());
    assert_eq!(dir.changes().unwrap().changed, paths(&["src/lib.rs"]));
    for path in ["../x", "/x", "a/../../x", ""] {
        assert!(matches!(dir.write(&sandbox, path.as_ref(), b""), Err(Error::Invalid(_))), "{path}");
    }
}

#[test]
fn folders_of_callers_that_are_gone_are_deleted() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(sandbox) = sandbox_of(SandboxConfig::default().with_scratch(scratch.path())) else { return };
    let kept = sandbox.empty_dir().unwrap();
    let left = scratch.path().join("jarre-work-1-1");
    fs::create_dir_all(left.join("files/deep")).unwrap();
    fs::write(left.join("files/deep/file"), "x").unwrap();
    let foreign = scratch.path().join("jarre-work-1-2");
    fs::create_dir(&foreign).unwrap();
    fs::set_permissions(&foreign, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(&left, fs::Permissions::from_mode(0o700)).unwrap();
    let other = sandbox.empty_dir().unwrap();
    assert!(foreign.exists(), "others could have laid traps in it");
    fs::remove_dir(foreign).unwrap();
    assert!(!left.exists() && kept.path().exists() && other.path().exists());
    drop((kept, other));
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}
