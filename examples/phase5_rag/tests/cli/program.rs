//! The built program, with a folder of documents and an index of its own for each test.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const HARBOUR: &str = "\
# The harbour of Varnholt

## Dredging

The harbour of Varnholt was dredged by the engineer Ilse Brandt in 1874. Before that only fishing boats could enter it.

## Lighthouse

The lighthouse is 31 metres high – the keeper climbs 164 steps every evening.
";

pub(crate) const ORCHARD: &str = "\
# Orchards

The orchards above the town grow pears and quinces. Pickers are paid by the basket.
";

/// What [`HARBOUR`] answers.
pub(crate) const ANSWERED: &str = "Who dredged the harbour of Varnholt?";

/// What neither text answers.
pub(crate) const UNANSWERED: &str = "What is the melting point of tungsten?";

/// Folders that are gone when the test ends.
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    /// With the two texts above.
    pub(crate) fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(place.docs()).unwrap();
        place.write("harbour.md", HARBOUR);
        place.write("orchard.md", ORCHARD);
        place
    }

    pub(crate) fn docs(&self) -> PathBuf {
        self.dir.path().join("docs")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.docs().join(name), text).unwrap();
    }

    /// The program over this folder and this index, with nothing on its standard input.
    pub(crate) fn program<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = program();
        command.arg("--docs").arg(self.docs()).arg("--index").arg(self.dir.path().join("index")).args(args);
        command
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ended {
        run(&mut self.program(args))
    }
}

/// The program without arguments and with nothing on its standard input.
pub(crate) fn program() -> Command {
    let mut command = Command::new(binary());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn run(command: &mut Command) -> Ended {
    Ended::new(command.output().unwrap())
}

/// Cargo names the binary of an example to no test; it lies beside the folder that this test was started from.
fn binary() -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let binary = profile.join("examples").join("phase5_rag").with_extension(env::consts::EXE_EXTENSION);
    assert!(
        binary.is_file(),
        "{} is not built: run `cargo test --workspace`, or `cargo build --workspace --examples` before this test alone",
        binary.display()
    );
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
    pub(crate) fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Standard output, each line of which must be a JSON object.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.stdout.lines().map(object).collect()
    }
}

pub(crate) fn object(line: &str) -> Value {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?} is no JSON: {error}"));
    assert!(value.is_object(), "{line}");
    value
}

/// A program at work; killed with the test that fails.
pub(crate) struct Running {
    pub(crate) child: Child,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self { child: command.spawn().unwrap() }
    }

    /// What a person's Ctrl-C sends. The shell's own `kill` serves where no program of that name is installed.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let status = Command::new("sh").args(["-c", &format!("kill -INT {}", self.child.id())]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Running {
    /// In vain where the test has seen it end.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
