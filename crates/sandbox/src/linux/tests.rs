//! Attempts against the watcher, which stands in for cgroups where none can be made: here it does, wherever the tests run.

use std::time::Duration;

use super::host::Machine;
use crate::{Cancel, Command, Execution, Exit, Layer, LimitHit, Limits, SandboxConfig};

/// Runs a Python script under the watcher; `None`, and says why, where there is no sandbox or no Python.
fn python(script: &str, limits: &Limits) -> Option<Execution> {
    let dir = tempfile::tempdir().expect("a folder");
    let command = Command::new("python3", dir.path()).with_args(["-I", "-S", "-c", script]);
    let run = Machine::with(&SandboxConfig::default(), None).and_then(|(machine, protection)| {
        super::set_mode(dir.path(), true).expect("its own folder");
        machine.owner().map_or(Ok(()), |user| super::give(dir.path(), user)).expect("root gives");
        machine.run(&command, limits, &Cancel::new(), &protection)
    });
    match run {
        Ok(execution) => {
            assert_eq!(execution.protection.in_force[&Layer::TreeMemory], "watcher");
            Some(execution)
        }
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

fn limits() -> Limits {
    Limits { wall: Duration::from_secs(20), memory: 64 << 20, ..Limits::default() }
}

/// Ends the first thread of a process and goes on in another.
const IN_ANOTHER_THREAD: &str = "
import ctypes, os, threading, time
def then(go_on):
    def after():
        while open('/proc/self/task/%d/stat' % os.getpid()).read().split()[2] != 'Z': time.sleep(0.01)
        go_on()
    threading.Thread(target=after).start()
    ctypes.CDLL(None).syscall(60 if os.uname().machine == 'x86_64' else 93, 0)
";

/// A process whose first thread has ended shows its memory through the others.
#[test]
fn memory_without_the_first_thread() {
    let script = format!(
        "{IN_ANOTHER_THREAD}def fill():\n  held = []\n  while True: held.append(os.urandom(1 << 20)); time.sleep(0.002)\nthen(fill)"
    );
    let Some(execution) = python(&script, &limits()) else { return };
    assert_eq!((execution.exit, &execution.limits_hit[..]), (Exit::Signal(9), &[LimitHit::Memory][..]), "{execution}");
}

/// The same with files that have no name and are open.
#[test]
fn nameless_files_without_the_first_thread() {
    let script = format!(
        "{IN_ANOTHER_THREAD}def fill():\n  held = []\n  for n in range(60): held.append(open('x', 'wb')); os.unlink('x'); held[-1].write(bytes(1 << 20)); \
         held[-1].flush(); time.sleep(0.02)\n  time.sleep(15)\nthen(fill)"
    );
    let limits = Limits { disk: 4 << 20, ..limits() };
    let Some(execution) = python(&script, &limits) else { return };
    assert_eq!((execution.exit, &execution.limits_hit[..]), (Exit::Signal(9), &[LimitHit::Disk][..]), "{execution}");
}

/// Shared memory stays when nobody has it mapped, where nobody counts it: it cannot be had without a file, nor as `/dev/zero`. In a file it can.
#[test]
fn shared_memory_without_a_file() {
    let script = "
import errno, mmap, os
def tried(what, make):
    try: make()[0:1] = b'x'; print(what, 'DONE')
    except OSError as error: print(what, errno.errorcode[error.errno])
tried('anonymous', lambda: mmap.mmap(-1, 1 << 20))
tried('zero', lambda: mmap.mmap(os.open('/dev/zero', os.O_RDWR), 1 << 20))
tried('private', lambda: mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
file = os.open('/tmp/x', os.O_RDWR | os.O_CREAT)
os.truncate(file, 1 << 20)
tried('file', lambda: mmap.mmap(file, 1 << 20))
";
    let Some(execution) = python(script, &limits()) else { return };
    assert_eq!(execution.stdout.text, "anonymous EPERM\nzero EACCES\nprivate DONE\nfile DONE\n", "{execution}");
}

/// The processor time of children whose end their parent ignores is added to nobody's by the kernel; the watcher has seen it.
#[test]
fn processor_time_of_children_that_nobody_waits_for() {
    let script = "
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    if os.fork() == 0:
        end = time.process_time() + 0.1
        while time.process_time() < end: pass
        os._exit(0)
    try: os.wait()
    except ChildProcessError: pass
";
    let limits = Limits { cpu: Duration::from_millis(800), ..limits() };
    let Some(execution) = python(script, &limits) else { return };
    assert_eq!((execution.exit, &execution.limits_hit[..]), (Exit::Signal(9), &[LimitHit::Cpu][..]), "{execution}");
}

/// And that of children that are waited for counts once, however many processes it was handed up through.
#[test]
fn processor_time_of_children_counts_once() {
    let script = "
import os, time
for _ in range(5):
    if os.fork() == 0:
        if os.fork() == 0:
            end = time.process_time() + 0.2
            while time.process_time() < end: pass
            os._exit(0)
        os.wait(); time.sleep(0.05); os._exit(0)
    os.wait(); time.sleep(0.05)
";
    let limits = Limits { cpu: Duration::from_millis(1900), ..limits() };
    let Some(execution) = python(script, &limits) else { return };
    assert_eq!((execution.exit, &execution.limits_hit[..]), (Exit::Code(0), &[][..]), "{execution}");
    assert!(execution.cpu.is_some_and(|cpu| cpu >= Duration::from_millis(900)), "{execution:?}");
}
