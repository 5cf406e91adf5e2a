use jarre_sandbox::{Exit, LimitHit};

use crate::attempt::Stage;

/// Taking memory bit by bit: the tree's limit ends it, and is told.
#[test]
fn memory_bomb() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.memory = 64 << 20;
    let execution = stage.python_with("held = []\nwhile True: held.append(bytearray(os.urandom(1 << 12)) * 256)", &limits);
    assert_eq!(execution.exit, Exit::Signal(9), "{execution}");
    assert_eq!(execution.limits_hit, [LimitHit::Memory]);
    assert!(execution.peak_memory.is_some_and(|bytes| bytes > 32 << 20), "{execution:?}");
}

/// Taking more at once than could ever fit: the process's own limit refuses it, and the program can say so.
#[test]
fn one_large_allocation() {
    let Some(stage) = Stage::new() else { return };
    let execution = stage.python("try: bytearray(64 << 30)\nexcept MemoryError: print('refused')");
    assert_eq!(execution.stdout.text, "refused\n", "{execution}");
}

/// Many processes, each below the limit of one: the whole tree is counted.
#[test]
fn memory_bomb_of_many() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.memory = 96 << 20;
    let script = r#"
for _ in range(8):
    if os.fork() == 0:
        held = bytearray(os.urandom(1 << 20)) * 24
        time.sleep(15)
        os._exit(0)
for _ in range(8): os.wait()
print("all lived")
"#;
    let execution = stage.python_with(script, &limits);
    assert!(execution.limits_hit.contains(&LimitHit::Memory), "{execution}");
}

/// Memory that no process maps: files in `/tmp`, and `memfd_create`.
#[test]
fn memory_in_files() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.memory = 64 << 20;
    let script = r#"
block, files = os.urandom(1 << 20), []
def fill(make):
    for i in range(16):
        files.append(make(i))
        for _ in range(16): os.write(files[-1], block)
tried("tmp", lambda: fill(lambda i: os.open("/tmp/%d" % i, os.O_CREAT | os.O_WRONLY)))
tried("memfd", lambda: fill(lambda i: os.memfd_create(str(i))))
"#;
    let execution = stage.python_with(script, &limits);
    assert!(execution.stdout.text.starts_with("tmp ENOSPC\n"), "{execution}");
    assert!(!execution.stdout.text.contains("DONE"), "{execution}");
}
