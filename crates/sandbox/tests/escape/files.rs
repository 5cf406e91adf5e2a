use std::fs;

use jarre_sandbox::{Cancel, Command};

use crate::attempt::Stage;

/// Reading what is outside: the own root holds nothing else, so that there is nothing to refuse.
#[test]
fn reading_outside() {
    let Some(stage) = Stage::new() else { return };
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("secret"), "the key").unwrap();
    let path = secret.path().join("secret");
    stage.expect(
        &format!(
            r#"
for path in [{path:?}, "/root", "/home", "/etc/shadow", "/etc/ssh", "/var", "/run", "/sys", "/boot", "/work/../root"]:
    tried(path, lambda: os.stat(path))
print(sorted(os.listdir("/tmp")))
tried("walk up", lambda: os.stat("../../../../../../../../etc/shadow"))
"#,
            path = path.to_str().unwrap()
        ),
        &[
            &format!("{} ENOENT", path.display()),
            "/root ENOENT",
            "/home ENOENT",
            "/etc/shadow ENOENT",
            "/etc/ssh ENOENT",
            "/var ENOENT",
            "/run ENOENT",
            "/sys ENOENT",
            "/boot ENOENT",
            "/work/../root ENOENT",
            "[]",
            "walk up ENOENT",
        ],
    );
}

/// Writing what is outside the folder and `/tmp`: new names meet read-only mounts, files that are there Landlock first.
#[test]
fn writing_outside() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
for path in ["/usr/x", "/usr/bin/sh", "/etc/x", "/x", "/dev/x", "/proc/x", "/proc/self/oom_score_adj"]:
    tried(path, lambda: os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
tried("mkdir", lambda: os.mkdir("/usr/x"))
tried("unlink", lambda: os.unlink("/etc/passwd"))
tried("rename", lambda: os.rename("/etc/passwd", "/work/passwd"))
tried("chmod", lambda: os.chmod("/etc/passwd", 0o666))
tried("truncate", lambda: os.truncate("/usr/bin/python3", 0))
tried("work", lambda: os.open("/work/x", os.O_WRONLY | os.O_CREAT, 0o644))
tried("tmp", lambda: os.open("/tmp/x", os.O_WRONLY | os.O_CREAT, 0o644))
"#,
        &[
            "/usr/x EROFS",
            "/usr/bin/sh EACCES",
            "/etc/x EROFS",
            "/x EROFS",
            "/dev/x EROFS",
            "/proc/x ENOENT",
            "/proc/self/oom_score_adj EROFS",
            "mkdir EROFS",
            "unlink EROFS",
            "rename EXDEV",
            "chmod EROFS",
            "truncate EACCES",
            "work DONE",
            "tmp DONE",
        ],
    );
}

/// A symbolic link out of the folder leads to what is inside; a reader outside does not follow it.
#[test]
fn symbolic_links() {
    let Some(stage) = Stage::new() else { return };
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "the key").unwrap();
    std::os::unix::fs::symlink(outside.path(), stage.dir.path().join("door")).unwrap();
    stage.expect(r#"tried("door", lambda: os.listdir("door"))"#, &["door ENOENT"]);
    let execution = stage.shell(&format!("ln -s {} out && ln -s ../../../../../etc/shadow up", outside.path().display()));
    assert!(execution.succeeded(), "{execution}");
    for path in ["door/secret", "out/secret", "up"] {
        assert!(stage.dir.read(path.as_ref(), 100).is_err(), "{path}");
    }
    let target = tempfile::tempdir().unwrap();
    let changes = stage.dir.apply_to(target.path()).unwrap();
    assert!(changes.added.is_empty() && changes.refused.len() == 3, "{changes:?}");
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 0);
}

/// A hard link to a file outside: across mounts, and to files of others, there is none. One to a file that the caller's folder shares with
/// something outside does not exist, because folders are copied file by file.
#[test]
fn hard_links() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
tried("passwd", lambda: os.link("/etc/passwd", "/work/passwd"))
tried("python", lambda: os.link(sys.executable, "/work/python"))
tried("tmp", lambda: (open("/tmp/x", "w"), os.link("/tmp/x", "/work/x")))
tried("by descriptor", lambda: os.link("/proc/self/fd/%d" % os.open("/usr/bin/env", os.O_RDONLY), "/work/env", follow_symlinks=True))
"#,
        &["passwd EXDEV", "python EXDEV", "tmp EXDEV", "by descriptor EXDEV"],
    );
    let original = tempfile::tempdir().unwrap();
    fs::write(original.path().join("a"), "before").unwrap();
    let copy = stage.sandbox.copy_of(original.path()).unwrap();
    let execution = stage.sandbox.run(&Command::new("sh", copy.path()).with_args(["-c", "echo after > a"]), &Cancel::new()).unwrap();
    assert!(execution.succeeded(), "{execution}");
    assert_eq!(fs::read_to_string(original.path().join("a")).unwrap(), "before");
}

/// A file that is swapped for a link between two looks: carried over, it still writes nothing outside.
#[test]
fn a_folder_swapped_for_a_link() {
    let Some(stage) = Stage::new() else { return };
    let (original, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("keep"), "theirs").unwrap();
    std::os::unix::fs::symlink(outside.path(), original.path().join("link")).unwrap();
    let copy = stage.sandbox.copy_of(original.path()).unwrap();
    // The link of the original becomes a folder in the copy, with a file that would land outside.
    let script = "rm link && mkdir link && echo mine > link/keep";
    assert!(stage.sandbox.run(&Command::new("sh", copy.path()).with_args(["-c", script]), &Cancel::new()).unwrap().succeeded());
    copy.apply_to(original.path()).unwrap();
    assert_eq!(fs::read_to_string(outside.path().join("keep")).unwrap(), "theirs");
    assert_eq!(fs::read_to_string(original.path().join("link/keep")).unwrap(), "mine\n");
}

/// The descriptors of the caller's process are closed.
#[test]
fn inherited_descriptors() {
    let Some(stage) = Stage::new() else { return };
    let secret = tempfile::tempfile().unwrap();
    // A descriptor that survives `execve`, as careless code leaves them.
    let kept = std::os::fd::OwnedFd::from(secret.try_clone().unwrap());
    let (reader, writer) = std::io::pipe().unwrap();
    stage.expect(
        r#"
print(sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:3], len(os.listdir("/proc/self/fd")))
for fd in range(3, 256):
    try: print(fd, os.readlink("/proc/self/fd/%d" % fd))
    except OSError: pass
"#,
        &["[0, 1, 2] 4"],
    );
    drop((kept, reader, writer));
}
