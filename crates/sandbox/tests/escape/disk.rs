use jarre_sandbox::{Exit, Layer, LimitHit};

use crate::attempt::Stage;

/// Filling the disk with files: found by measuring, and ended.
#[test]
fn disk_filler() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.disk = 8 << 20;
    let script = "n = 0\nwhile True:\n  open(str(n), 'wb').write(bytes(1 << 18)); n += 1; time.sleep(0.002)";
    let execution = stage.python_with(script, &limits);
    assert_eq!(execution.exit, Exit::Signal(9), "{execution}");
    assert_eq!(execution.limits_hit, [LimitHit::Disk]);
}

/// Filling it with a file that has no name any more.
#[test]
fn nameless_files() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.disk = 4 << 20;
    let script = "held = []\nfor n in range(64):\n  held.append(open('x', 'wb')); os.unlink('x'); held[-1].write(bytes(1 << 20)); held[-1].flush(); time.sleep(0.02)\ntime.sleep(15)";
    let execution = stage.python_with(script, &limits);
    assert_eq!(execution.exit, Exit::Signal(9), "{execution}");
    assert_eq!(execution.limits_hit, [LimitHit::Disk]);
}

/// The same with files that are closed again, and only mapped. That is measured where the caller is root.
#[test]
fn nameless_files_that_are_mapped() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.disk = 4 << 20;
    let script = "import mmap\nheld = []\nfor n in range(64):
  with open('x', 'w+b') as file:
    os.unlink('x'); file.write(bytes(1 << 20)); file.flush(); held.append(mmap.mmap(file.fileno(), 4096, access=mmap.ACCESS_READ))
    call(3 if X86 else 57, file.fileno() + 1)
  time.sleep(0.02)
time.sleep(3)";
    let execution = stage.python_with(script, &limits);
    if execution.protection.in_force[&Layer::Unprivileged].starts_with("root") {
        assert_eq!(execution.exit, Exit::Signal(9), "{execution}");
        assert_eq!(execution.limits_hit, [LimitHit::Disk]);
    }
}

/// Blocks beyond a file's end, which the limit on a file's size does not hold.
#[test]
fn blocks_beyond_the_end() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
file, number = os.open("x", os.O_CREAT | os.O_RDWR), 285 if X86 else 47
for mode in [0, 1, 3]:
    tried(mode, lambda: call(number, file, mode, 0, 1 << 20))
"#,
        &["0 DONE", "1 ENOTSUP", "3 DONE"],
    );
}

/// Filling it with very many empty files, each of which takes room for its name.
#[test]
fn very_many_files() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.disk = 8 << 20;
    let script = "n = 0\nwhile True:\n  os.close(os.open('%0200d' % n, os.O_CREAT)); n += 1\n  if n % 100 == 0: time.sleep(0.005)";
    let execution = stage.python_with(script, &limits);
    assert_eq!(execution.exit, Exit::Signal(9), "{execution}");
    assert_eq!(execution.limits_hit, [LimitHit::Disk]);
}

/// One large file: the kernel's limit, which the program sees as an error or dies of.
#[test]
fn one_large_file() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.file_size = 1 << 20;
    limits.disk = 64 << 20;
    let execution = stage.python_with(
        "def fill():\n  f = os.open('x', os.O_CREAT | os.O_WRONLY)\n  while True: os.write(f, bytes(1 << 16))\ntried('write', fill)",
        &limits,
    );
    assert_eq!(execution.stdout.text, "write EFBIG\n", "{execution}");
    assert_eq!(execution.limits_hit, [LimitHit::FileSize]);
}

/// Folders deeper than a path can say cannot be measured, which ends the command; and they can be deleted.
#[test]
fn deep_folders() {
    let Some(stage) = Stage::new() else { return };
    let execution = stage.python("for n in range(6000):\n  os.mkdir('d' * 200); os.chdir('d' * 200)\ntime.sleep(15)");
    assert_eq!(execution.limits_hit, [LimitHit::Disk], "{execution}");
    let path = stage.dir.path().to_owned();
    assert!(stage.dir.changes().is_err(), "it cannot be looked at either");
    drop(stage.dir);
    assert!(!path.exists());
}

/// Names as long as the system has, with bytes that are no text, and folders that forbid their owner to look: carried over or refused, never
/// followed, and deleted.
#[test]
fn names_and_modes_that_trouble() {
    let Some(stage) = Stage::new() else { return };
    let execution = stage.python(
        r#"
os.mkdir(b"\xff" * 255)
open(b"\xff" * 255 + b"/" + b"n" * 255, "w").write("x")
open("line\nend \x1b[2J", "w").write("x")
os.mkfifo("pipe")
socket.socket(socket.AF_UNIX).bind("socket")
os.symlink("loop", "loop")
"#,
    );
    assert!(execution.succeeded(), "{execution}");
    let changes = stage.dir.changes().unwrap();
    assert_eq!((changes.added.len(), changes.refused.len()), (3, 2), "{changes:?}");
    let execution = stage.shell("mkdir -p shut/in && echo x > shut/in/file && chmod 000 shut/in/file shut/in shut");
    assert!(execution.exit == Exit::Code(0), "{execution}");
    let path = stage.dir.path().to_owned();
    drop(stage.dir);
    assert!(!path.exists());
}
