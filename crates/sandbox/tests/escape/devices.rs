use crate::attempt::Stage;

/// `/dev` holds five devices that do no harm; another cannot be made.
#[test]
fn devices() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
print(sorted(os.listdir("/dev")))
import stat
tried("mem", lambda: os.open("/dev/mem", os.O_RDONLY))
tried("tty", lambda: os.open("/dev/tty", os.O_RDWR))
tried("mknod disk", lambda: os.mknod("/work/disk", stat.S_IFBLK | 0o666, os.makedev(254, 0)))
tried("mknod mem", lambda: os.mknod("/tmp/mem", stat.S_IFCHR | 0o666, os.makedev(1, 1)))
tried("null", lambda: open("/dev/null", "w").write("x"))
tried("zero", lambda: open("/dev/zero", "rb").read(1))
tried("zero as memory", lambda: os.open("/dev/zero", os.O_RDWR))
"#,
        &[
            "['fd', 'full', 'null', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'urandom', 'zero']",
            "mem ENOENT",
            "tty ENOENT",
            "mknod disk EACCES",
            "mknod mem EACCES",
            "null DONE",
            "zero DONE",
            "zero as memory EACCES",
        ],
    );
}

/// Pushing characters into a terminal (`TIOCSTI`, `TIOCLINUX`): the filter refuses, also with bits set that the kernel does not look at.
#[test]
fn terminal_injection() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
for request in [0x5412, 0x1_0000_5412, 0x541C, 0x5423]:
    tried(hex(request), lambda: call(16 if X86 else 29, 0, request, 0))
tried("controlling terminal", lambda: os.open("/dev/tty", os.O_RDWR))
print(os.getsid(0) == os.getpid(), sys.stdout.isatty())
"#,
        &["0x5412 EPERM", "0x100005412 EPERM", "0x541c EPERM", "0x5423 EPERM", "controlling terminal ENOENT", "True False"],
    );
}
