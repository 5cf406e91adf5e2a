use jarre_sandbox::{Cancel, Command, Error, Exit};

use crate::place::{sandbox, shell};

#[test]
fn a_command_reads_writes_and_ends() {
    let Some(sandbox) = sandbox() else { return };
    println!("{}", sandbox.protection());
    let dir = sandbox.empty_dir().unwrap();
    let command = Command::new("sh", dir.path())
        .with_args(["-c", "cat; echo $GREETING >&2; pwd > where; exit 3"])
        .with_stdin("hello")
        .with_env("GREETING", "good day");
    let execution = sandbox.run(&command, &Cancel::new()).unwrap();
    println!("{execution:?}");
    assert_eq!(execution.exit, Exit::Code(3));
    assert_eq!((execution.stdout.text.as_str(), execution.stderr.text.as_str()), ("hello", "good day\n"));
    assert!(execution.limits_hit.is_empty());
    assert_eq!(dir.read("where".as_ref(), 100).unwrap(), b"/work\n");
}

#[test]
fn what_cannot_be_started_is_named() {
    let Some(sandbox) = sandbox() else { return };
    let dir = sandbox.empty_dir().unwrap();
    let error = sandbox.run(&Command::new("no-such-program", dir.path()), &Cancel::new()).unwrap_err();
    assert!(matches!(&error, Error::Invalid(why) if why.contains("no-such-program")), "{error}");
    let error = sandbox.run(&Command::new("true", "/no/such/folder"), &Cancel::new()).unwrap_err();
    assert!(matches!(&error, Error::Invalid(why) if why.contains("/no/such/folder")), "{error}");
}

#[test]
fn a_signal_is_told_from_a_code() {
    let Some(sandbox) = sandbox() else { return };
    let dir = sandbox.empty_dir().unwrap();
    assert_eq!(shell(&sandbox, &dir, "kill -TERM $$").exit, Exit::Signal(15));
    assert!(shell(&sandbox, &dir, "true").succeeded());
}
