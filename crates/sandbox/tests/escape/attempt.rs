//! How an attempt is made.

use std::time::Duration;

use jarre_sandbox::{Cancel, Command, Execution, Limits, Sandbox, WorkDir};

use crate::place;

/// An attempt's stage: a sandbox with every layer, and a folder.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) dir: WorkDir,
}

impl Stage {
    /// One, where the machine has every layer and a Python that can be seen inside.
    #[expect(clippy::print_stdout, reason = "says why nothing was tested")]
    pub(crate) fn new() -> Option<Self> {
        let sandbox = place::sandbox()?;
        let dir = sandbox.empty_dir().unwrap();
        if sandbox.run(&Command::new("python3", dir.path()).with_args(["-c", ""]), &Cancel::new()).is_err() {
            println!("skipped: there is no python3 in /usr");
            return None;
        }
        Some(Self { sandbox, dir })
    }

    /// Small limits, for attempts that run into them.
    pub(crate) fn limits() -> Limits {
        let mut limits = Limits::default();
        limits.wall = Duration::from_secs(20);
        limits
    }

    /// Runs a shell script.
    pub(crate) fn shell(&self, script: &str) -> Execution {
        place::shell(&self.sandbox, &self.dir, script)
    }

    /// Runs a shell script with these limits.
    pub(crate) fn shell_with(&self, script: &str, limits: &Limits) -> Execution {
        self.sandbox.run_with(&Command::new("sh", self.dir.path()).with_args(["-c", script]), limits, &Cancel::new()).unwrap()
    }

    /// Runs a Python script.
    pub(crate) fn python(&self, script: &str) -> Execution {
        self.python_with(script, &Self::limits())
    }

    /// Runs a Python script with these limits.
    pub(crate) fn python_with(&self, script: &str, limits: &Limits) -> Execution {
        let command = Command::new("python3", self.dir.path()).with_args(["-I", "-S", "-c"]).with_args([format!("{PRELUDE}{script}")]);
        self.sandbox.run_with(&command, limits, &Cancel::new()).unwrap()
    }

    /// Runs a Python script and asserts that it printed these lines.
    pub(crate) fn expect(&self, script: &str, lines: &[&str]) {
        let execution = self.python(script);
        let text = &execution.stdout.text;
        assert_eq!(text.lines().collect::<Vec<_>>(), lines, "{execution}");
    }
}

/// `tried(what, f)` prints what came of an attempt: the error's name, or that it was done. `call` makes a system call by its number.
const PRELUDE: &str = r#"
import ctypes, errno, os, signal, socket, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result
def tried(what, attempt):
    try:
        attempt()
        print(what, "DONE", flush=True)
    except OSError as error:
        print(what, errno.errorcode.get(error.errno, error.errno), flush=True)
X86 = os.uname().machine == "x86_64"
"#;
