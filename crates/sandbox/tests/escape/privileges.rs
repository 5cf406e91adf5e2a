use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::attempt::Stage;

/// No capability in any set, no way to new privileges, and no other user to become.
#[test]
fn capabilities() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print([status[key].strip().lstrip("0") for key in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]])
print(status["NoNewPrivs"].strip(), status["Seccomp"].strip(), os.getuid(), os.getgid(), 0 in os.getgroups())
tried("setuid 0", lambda: os.setuid(0))
tried("setgid 0", lambda: os.setgid(0))
tried("setgroups", lambda: os.setgroups([0]))
tried("chown", lambda: (open("x", "w"), os.chown("x", 0, 0)))
tried("hostname", lambda: socket.sethostname("x"))
"#,
        &[
            "['', '', '', '', '']",
            "1 2 1000 1000 False",
            "setuid 0 EINVAL",
            "setgid 0 EINVAL",
            "setgroups EPERM",
            "chown EINVAL",
            "hostname EPERM",
        ],
    );
}

/// Programs with set-user-ID give nothing (`nosuid`, no new privileges), and none can be left behind for others on the machine.
#[test]
fn set_user_id() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
import shutil
shutil.copy("/usr/bin/env", "mine")
tried("chmod", lambda: os.chmod("mine", 0o4755))
tried("chmod group", lambda: os.chmod("mine", 0o2755))
tried("create", lambda: os.open("other", os.O_CREAT | os.O_WRONLY, 0o4755))
tried("fchmod", lambda: os.fchmod(os.open("mine", os.O_RDONLY), 0o6755))
tried("plain", lambda: os.chmod("mine", 0o755))
tried("openat2", lambda: call(437, -100, b"third", struct.pack("QQQ", os.O_CREAT | os.O_WRONLY, 0o4755, 0), 24))
"#,
        &["chmod EPERM", "chmod group EPERM", "create EPERM", "fchmod EPERM", "plain DONE", "openat2 ENOSYS"],
    );
    for entry in std::fs::read_dir(stage.dir.path()).unwrap() {
        let metadata = entry.unwrap().metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o6000, 0);
        assert_ne!(metadata.uid(), 0, "nothing that it makes is root's");
    }
    let execution =
        stage.shell("for p in su mount passwd newgrp; do p=$(command -v $p) && test -u $p && $p --help >/dev/null 2>&1; done; id -u");
    assert_eq!(execution.stdout.text, "1000\n", "{execution}");
}

/// The program that runs is a file on a read-only mount: it cannot be changed under others that run it.
#[test]
fn overwriting_the_program() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
tried("exe", lambda: os.open("/proc/self/exe", os.O_WRONLY))
tried("exe of the first process", lambda: os.open("/proc/1/exe", os.O_RDONLY))
tried("libc", lambda: os.open([line.split()[5] for line in open("/proc/self/maps") if "libc" in line][0], os.O_RDWR))
"#,
        &["exe EACCES", "exe of the first process ENOENT", "libc EACCES"],
    );
}

/// Raising limits again, on itself or on another.
#[test]
fn raising_limits() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
import resource
for name in ["RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_DATA", "RLIMIT_CPU", "RLIMIT_CORE"]:
    which = getattr(resource, name)
    try:
        resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(name, "RAISED")
    except (ValueError, OSError): pass
tried("of another", lambda: call(302 if X86 else 261, 1, resource.RLIMIT_NPROC, 0, 0))
tried("core", lambda: call(160 if X86 else 164, resource.RLIMIT_CORE, struct.pack("QQ", 0, 0)))
print(resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_NOFILE))
"#,
        &["of another EPERM", "core EPERM", "(1, 1) (256, 256)"],
    );
}
