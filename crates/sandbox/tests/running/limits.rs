use std::{thread, time::Duration};

use jarre_sandbox::{Cancel, Command, Exit, LimitHit, Limits};

use crate::place::{sandbox, shell};

#[test]
fn time_ends_the_whole_tree() {
    let Some(sandbox) = sandbox() else { return };
    let dir = sandbox.empty_dir().unwrap();
    let mut limits = Limits::default();
    limits.wall = Duration::from_millis(500);
    let command = Command::new("sh", dir.path()).with_args(["-c", "echo begun; sleep 20 & sleep 20"]);
    let execution = sandbox.run_with(&command, &limits, &Cancel::new()).unwrap();
    assert_eq!((execution.exit, execution.limits_hit.as_slice()), (Exit::Signal(9), &[LimitHit::Wall][..]));
    assert!(execution.wall >= limits.wall, "{execution}");
}

#[test]
fn a_caller_can_cancel() {
    let Some(sandbox) = sandbox() else { return };
    let dir = sandbox.empty_dir().unwrap();
    let cancel = Cancel::new();
    let other = cancel.clone();
    let canceller = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        other.cancel();
    });
    let execution = sandbox.run(&Command::new("sleep", dir.path()).with_args(["20"]), &cancel).unwrap();
    canceller.join().unwrap();
    assert_eq!((execution.exit, execution.limits_hit.as_slice()), (Exit::Signal(9), &[LimitHit::Cancelled][..]));
    let execution = sandbox.run(&Command::new("sleep", dir.path()).with_args(["20"]), &cancel).unwrap();
    assert_eq!(execution.limits_hit, [LimitHit::Cancelled], "one that is set stays set");
}

#[test]
fn processor_time_is_the_trees() {
    let Some(sandbox) = sandbox() else { return };
    let dir = sandbox.empty_dir().unwrap();
    let mut limits = Limits::default();
    limits.cpu = Duration::from_millis(400);
    let spin = "spin() { while :; do :; done; }; spin & spin & spin";
    let execution = sandbox.run_with(&Command::new("sh", dir.path()).with_args(["-c", spin]), &limits, &Cancel::new()).unwrap();
    assert!(execution.limits_hit.contains(&LimitHit::Cpu) && !execution.succeeded(), "{execution}");
    assert!(execution.cpu.is_none_or(|cpu| cpu >= limits.cpu), "{execution:?}");
}

#[test]
fn much_is_read_and_written_at_once() {
    let Some(sandbox) = sandbox() else { return };
    let dir = sandbox.empty_dir().unwrap();
    let mut limits = Limits::default();
    limits.output = 8 << 20;
    let text = "0123456789abcde\n".repeat(1 << 18);
    let command = Command::new("tee", dir.path()).with_args(["copy"]).with_stdin(text.clone());
    let execution = sandbox.run_with(&command, &limits, &Cancel::new()).unwrap();
    assert!(execution.succeeded() && execution.stdout.text == text);
    assert_eq!(dir.read("copy".as_ref(), 8 << 20).unwrap(), text.as_bytes());
    // One that does not read what it is given is not waited for.
    let command = Command::new("true", dir.path()).with_stdin(text);
    assert!(sandbox.run(&command, &Cancel::new()).unwrap().succeeded());
}

#[test]
fn a_folder_may_hold_much_before() {
    let Some(sandbox) = sandbox() else { return };
    let mut dir = sandbox.empty_dir().unwrap();
    dir.write(&sandbox, "much".as_ref(), &vec![0; 3 << 20]).unwrap();
    let mut limits = Limits::default();
    limits.disk = 1 << 20;
    let command = Command::new("sh", dir.path()).with_args(["-c", "echo x > y; sleep 0.2"]);
    let execution = sandbox.run_with(&command, &limits, &Cancel::new()).unwrap();
    assert!(execution.succeeded() && execution.limits_hit.is_empty(), "{execution}");
    assert!(shell(&sandbox, &dir, "test $(wc -c < much) = 3145728").succeeded());
}
