use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command {
    /// The program: a path, or a name that is looked up in the sandbox's own `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The folder that it starts in, and the only one that it may write (besides its own `/tmp`). Inside it is `/work`. Where the caller is root, the
    /// command is not, and may write what a [`WorkDir`](crate::WorkDir) holds, not what is root's.
    pub dir: PathBuf,
    /// What it reads from standard input, which ends there.
    pub stdin: Vec<u8>,
    /// Its environment beside what the sandbox sets; nothing is inherited.
    pub env: BTreeMap<OsString, OsString>,
}

impl Command {
    /// `program` in `dir`, with no arguments and nothing to read.
    pub fn new(program: impl Into<OsString>, dir: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: Vec::new(), dir: dir.into(), stdin: Vec::new(), env: BTreeMap::new() }
    }

    /// Adds arguments.
    pub fn with_args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets what it reads.
    pub fn with_stdin(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Adds a variable to its environment.
    pub fn with_env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(key.into(), value.into());
        self
    }
}
