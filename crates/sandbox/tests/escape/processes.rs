use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command as Plain, Stdio},
    time::Duration,
};

use jarre_sandbox::{Cancel, Command, Exit, Layer, LimitHit};

use crate::attempt::Stage;

/// The parent's `/proc` and environment: the PID namespace holds the command's own processes alone, and the environment is new.
#[test]
fn the_parents_process() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
print(os.getppid(), sorted(int(name) for name in os.listdir("/proc") if name.isdigit()) == [os.getpid()])
print(sorted(os.environ))
for name in ["environ", "mem", "maps", "root", "cwd", "fd", "cmdline"]:
    tried(name, lambda: os.open("/proc/1/" + name, os.O_RDONLY))
"#,
        &[
            "1 True",
            "['HOME', 'LANG', 'PATH', 'TMPDIR']",
            "environ ENOENT",
            "mem ENOENT",
            "maps ENOENT",
            "root ENOENT",
            "cwd ENOENT",
            "fd ENOENT",
            "cmdline ENOENT",
        ],
    );
}

/// Tracing and reading other processes: the filter has no `ptrace`, nor what reads memory across processes.
#[test]
fn tracing() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(
        r#"
child = os.fork()
if child == 0: time.sleep(15)
tried("attach", lambda: call(101 if X86 else 117, 16, child, 0, 0))
tried("attach to the first", lambda: call(101 if X86 else 117, 16, 1, 0, 0))
tried("traceme", lambda: call(101 if X86 else 117, 0, 0, 0, 0))
tried("vm_readv", lambda: call(310 if X86 else 270, child, 0, 0, 0, 0, 0))
os.kill(child, signal.SIGKILL)
"#,
        &["attach EPERM", "attach to the first EPERM", "traceme EPERM", "vm_readv EPERM"],
    );
}

/// Signals to processes outside: they have no number inside. The first process takes none from inside.
#[test]
fn signals_to_outside() {
    let Some(stage) = Stage::new() else { return };
    let mut outside = Plain::new("sleep").arg("20").stdout(Stdio::null()).spawn().unwrap();
    stage.expect(
        &format!(
            r#"
tried("by number", lambda: os.kill({outside}, signal.SIGKILL) if {outside} > 100 else os.kill(99999, 9))
tried("parent", lambda: os.kill({parent}, signal.SIGKILL) if {parent} > 100 else os.kill(99999, 9))
try: os.kill(1, signal.SIGKILL)
except OSError: pass
print("alive")
os.setpgid(0, 0) if os.getpgrp() != os.getpid() else None
signal.signal(signal.SIGTERM, signal.SIG_IGN)
try: os.kill(-1, signal.SIGTERM)
except OSError: pass
print("alive")
"#,
            outside = outside.id(),
            parent = std::process::id()
        ),
        &["by number ESRCH", "parent ESRCH", "alive", "alive"],
    );
    assert!(outside.try_wait().unwrap().is_none(), "it lives");
    outside.kill().unwrap();
    outside.wait().unwrap();
}

/// A fork bomb: the tree has so many processes, and no more.
#[test]
fn fork_bomb() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.wall = Duration::from_secs(3);
    limits.processes = 24;
    let script = r"
made = 0
for _ in range(200):
    try: pid = os.fork()
    except OSError as error:
        print(made, errno.errorcode[error.errno], flush=True)
        time.sleep(1)
        break
    if pid == 0: time.sleep(15); os._exit(0)
    made += 1
";
    let execution = stage.python_with(script, &limits);
    assert_eq!(execution.stdout.text, "23 EAGAIN\n", "{execution}");
    assert_eq!(execution.limits_hit, [LimitHit::Processes]);
    // And one of which nobody ever stops by itself: what is refused is tried again.
    let script = r"
while True:
    try: os.fork()
    except OSError: time.sleep(0.01)
";
    let execution = stage.python_with(script, &limits);
    assert_eq!(execution.exit, Exit::Signal(9), "{execution}");
    assert!(execution.limits_hit.contains(&LimitHit::Wall), "{execution}");
    // A watcher sees what is there when it looks; a cgroup counts each refusal.
    let counted = execution.protection.in_force[&Layer::TreeProcesses].starts_with("cgroup");
    assert!(!counted || execution.limits_hit.contains(&LimitHit::Processes), "{execution}");
}

/// Threads count as well.
#[test]
fn thread_bomb() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.processes = 16;
    let script = r"
import _thread
made = 0
try:
    while True: _thread.start_new_thread(time.sleep, (15,)); made += 1
except RuntimeError: print(made, flush=True)
os._exit(0)
";
    let execution = stage.python_with(script, &limits);
    assert_eq!(execution.stdout.text, "15\n", "{execution}");
}

/// A process that forks twice, makes a session of its own and ignores signals: it ends with its namespace.
#[test]
fn double_fork_survivors() {
    let Some(stage) = Stage::new() else { return };
    let mark = format!("7{:06}", std::process::id());
    let execution = stage.python(&format!(
        r#"
if os.fork() == 0:
    os.setsid()
    for number in range(1, 65):
        try: signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError): pass
    if os.fork() == 0: os.execvp("sleep", ["sleep", "{mark}"])
    os._exit(0)
os.wait()
time.sleep(0.1)
print(open("/proc/self/stat").read() != "")
"#
    ));
    assert_eq!(execution.stdout.text, "True\n", "{execution}");
    assert!(execution.wall < Duration::from_secs(10));
    assert!(!lives(&mark), "it is gone when the call comes back");
}

/// A command whose caller is killed dies with it, survivors and all.
#[test]
fn a_caller_that_is_killed() {
    let Some(stage) = Stage::new() else { return };
    let mark = format!("8{:06}", std::process::id());
    // The caller is this test's program again, at the test that follows.
    let mut caller = Plain::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "processes::runs_until_it_is_killed", "--nocapture"])
        .env("JARRE_SANDBOX_MARK", &mark)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    assert!(until(|| lives(&mark)), "it began");
    caller.kill().unwrap();
    caller.wait().unwrap();
    assert!(until(|| !lives(&mark)), "it ended");
    drop(stage.sandbox.empty_dir().unwrap());
}

#[test]
#[ignore = "is run by the test before it"]
#[expect(clippy::disallowed_methods, reason = "tests")]
fn runs_until_it_is_killed() {
    let (Some(stage), Ok(mark)) = (Stage::new(), std::env::var("JARRE_SANDBOX_MARK")) else { return };
    stage.shell(&format!("(setsid sleep {mark} &) ; sleep {mark}"));
}

/// The first process is a copy of the caller, whose handlers of signals would run in it: it has none.
#[test]
fn handlers_of_the_caller() {
    let Some(stage) = Stage::new() else { return };
    let mark = format!("6{:06}", std::process::id());
    let cancel = Cancel::new();
    let command = Command::new("sleep", stage.dir.path()).with_args([&mark]);
    let caught = |status: &Path, key: &str| {
        let text = fs::read_to_string(status).unwrap();
        text.lines().find_map(|line| Some(line.strip_prefix(key)?.trim().to_owned())).unwrap()
    };
    std::thread::scope(|scope| {
        let run = scope.spawn(|| stage.sandbox.run(&command, &cancel).unwrap());
        assert!(until(|| found(&mark).is_some()), "it began");
        let first = Path::new("/proc").join(caught(&found(&mark).unwrap().join("status"), "PPid:")).join("status");
        let of_both = [caught(&first, "SigCgt:"), caught(&first, "SigBlk:")];
        cancel.cancel();
        assert_eq!(run.join().unwrap().limits_hit, [LimitHit::Cancelled]);
        assert_eq!(of_both, ["0000000000000000", "0000000000000000"]);
    });
    assert_ne!(caught(Path::new("/proc/self/status"), "SigCgt:"), "0000000000000000", "this program has some");
    assert_eq!(caught(Path::new("/proc/thread-self/status"), "SigBlk:"), "0000000000000000", "and blocks none");
}

/// A caller whose new files nobody else may read: what is made for the command is not the caller's alone.
#[test]
fn a_caller_with_a_narrow_mask() {
    if Stage::new().is_none() {
        return;
    }
    let run = Plain::new("sh")
        .args(["-c", "umask 077; exec \"$0\" --ignored --exact processes::runs_with_a_narrow_mask --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .output()
        .unwrap();
    assert!(run.status.success() && String::from_utf8_lossy(&run.stdout).contains("all layers"), "{run:?}");
}

#[test]
#[ignore = "is run by the test before it"]
fn runs_with_a_narrow_mask() {
    let Some(stage) = Stage::new() else { return };
    stage.expect(r#"print(open("/etc/hosts").read().split()[0], os.access("/work", os.W_OK))"#, &["127.0.0.1 True"]);
    println!("all layers");
}

/// Waits at most ten seconds for something.
fn until(holds: impl Fn() -> bool) -> bool {
    (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        holds()
    })
}

/// Whether a process on this machine has `mark` for an argument.
fn lives(mark: &str) -> bool {
    found(mark).is_some()
}

/// The folder in `/proc` of such a process.
fn found(mark: &str) -> Option<PathBuf> {
    let has =
        |path: &Path| fs::read(path.join("cmdline")).is_ok_and(|line| line.split(|byte| *byte == 0).any(|part| part == mark.as_bytes()));
    fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()).find(|path| has(path))
}
