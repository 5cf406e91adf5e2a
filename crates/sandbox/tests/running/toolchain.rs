use std::{path::Path, process};

use jarre_sandbox::{Cancel, Command, Limits, SandboxConfig};

use crate::place::{sandbox, sandbox_of};

/// The compiler that is on the machine compiles, links and runs a test inside, without its folder being writable.
#[test]
fn a_rust_test_is_compiled_and_run() {
    let found = process::Command::new("rustc").args(["--print", "sysroot"]).output();
    let (Some(_), Ok(found), true) = (sandbox(), found, Path::new("/usr/bin/cc").exists()) else { return };
    let root = String::from_utf8(found.stdout).unwrap();
    let sandbox = sandbox_of(SandboxConfig::default().with_tools(root.trim())).unwrap();
    let mut dir = sandbox.empty_dir().unwrap();
    dir.write(&sandbox, "lib.rs".as_ref(), b"#[test] fn adds() { assert_eq!(1 + 1, 2) } #[test] fn fails() { assert_eq!(1, 2) }").unwrap();
    let mut limits = Limits::default();
    limits.wall = std::time::Duration::from_mins(2);
    let compile = Command::new("rustc", dir.path()).with_args(["--test", "lib.rs", "-o", "tests"]);
    let execution = sandbox.run_with(&compile, &limits, &Cancel::new()).unwrap();
    assert!(execution.succeeded(), "{execution}");
    let execution = sandbox.run_with(&Command::new("./tests", dir.path()), &limits, &Cancel::new()).unwrap();
    assert!(execution.stdout.text.contains("1 passed; 1 failed"), "{execution}");
}
