//! The sandbox that tests run in, and what it did.

#![allow(dead_code, reason = "each test program uses some")]

use jarre_sandbox::{Cancel, Command, Execution, Sandbox, SandboxConfig, WorkDir};

/// A sandbox with every layer; where the machine lacks one, the test says which, and ends there.
pub(crate) fn sandbox() -> Option<Sandbox> {
    sandbox_of(SandboxConfig::default())
}

/// The same, made otherwise.
#[expect(clippy::print_stdout, reason = "says why nothing was tested")]
pub(crate) fn sandbox_of(config: SandboxConfig) -> Option<Sandbox> {
    match Sandbox::new(config) {
        Ok(sandbox) => Some(sandbox),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

/// Runs a shell script in `dir`.
pub(crate) fn shell(sandbox: &Sandbox, dir: &WorkDir, script: &str) -> Execution {
    sandbox.run(&Command::new("sh", dir.path()).with_args(["-c", script]), &Cancel::new()).unwrap()
}
