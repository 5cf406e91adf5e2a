//! The built program, with a store of its own for each test.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio},
};

use jarre_agent::Record;
use jarre_sandbox::{Sandbox, SandboxConfig};
use serde_json::Value;
use tempfile::TempDir;

/// Whether this machine can hold commands; where it cannot, why.
pub(crate) fn has_sandbox() -> bool {
    Sandbox::new(SandboxConfig::default()).inspect_err(|error| println!("skipped: {error}")).is_ok()
}

/// A folder that is gone when the test ends, with a store in it once a run begins.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, whose folders are made, and says where.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    /// The program at this store.
    pub(crate) fn program<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = program();
        command.current_dir(self.dir.path()).args(args).arg("--db").arg(self.path("agent.db"));
        command
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ended {
        end(&mut self.program(args))
    }

    /// The same, which must end well.
    pub(crate) fn succeed<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ended {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }

    /// The log of a run, as it is exported.
    pub(crate) fn records(&self, run: &str) -> Vec<Record> {
        self.succeed(["export", run, "--as", "jsonl"]).records()
    }

    /// What is kept of a run in short.
    pub(crate) fn summary(&self, run: &str) -> Value {
        let runs = self.succeed(["runs", "--json"]).objects();
        runs.into_iter().find(|found| found["run"] == run).unwrap_or_else(|| panic!("there is no run {run}"))
    }

    /// A file of the folder that a run works in.
    pub(crate) fn worked_on(&self, run: &str, name: &str) -> String {
        fs::read_to_string(self.path("agent.db.work").join(run).join(name)).unwrap()
    }

    /// All that is there.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(self.dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// The program with nothing on its standard input.
pub(crate) fn program() -> Command {
    let mut command = Command::new(binary());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn end(command: &mut Command) -> Ended {
    Ended::new(command.output().unwrap())
}

/// Cargo names the binary of an example to no test; it lies beside the folder that this test was started from.
fn binary() -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let binary = profile.join("examples").join("phase4_coding_agent").with_extension(env::consts::EXE_EXTENSION);
    assert!(binary.is_file(), "{} is not built: see the head of main.rs", binary.display());
    binary
}

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Standard output, each line of which must be a JSON object.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let object = |line: &str| {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?} is no JSON: {error}"));
            assert!(value.is_object(), "{line}");
            value
        };
        self.stdout.lines().map(object).collect()
    }

    /// Standard output, each line of which must be a record.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.objects().into_iter().map(|value| serde_json::from_value(value).unwrap()).collect()
    }

    /// That it ended with `code`, said `what` on standard error, and nothing else.
    pub(crate) fn refused(&self, code: i32, what: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.stderr.contains(what) && self.stdout.is_empty(), "{what}: {self:?}");
    }
}

/// A program at work; killed with the test that fails.
pub(crate) struct Running {
    pub(crate) child: Child,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self { child: command.spawn().unwrap() }
    }

    /// Its standard output, once.
    pub(crate) fn stdout(&mut self) -> BufReader<ChildStdout> {
        BufReader::new(self.child.stdout.take().unwrap())
    }

    /// Its standard error, once.
    pub(crate) fn stderr(&mut self) -> BufReader<ChildStderr> {
        BufReader::new(self.child.stderr.take().unwrap())
    }

    /// Sends `TERM` and the like. The shell's own `kill` serves where no program of that name is installed.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status().unwrap();
        assert!(status.success());
    }

    /// Its exit code, once it has ended.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    /// In vain where the test has seen it end.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next line that holds `what`; the lines before it are passed over.
pub(crate) fn line_with(lines: &mut impl BufRead, what: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended without a line with {what:?}");
        if line.contains(what) {
            return line.trim_end().to_owned();
        }
    }
}
