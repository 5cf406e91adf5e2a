use std::{
    io::{self, BufRead, BufReader, Seek, Write},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

/// How long anything may take that must come about.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A server, which is killed when it is dropped.
pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) url: String,
}

impl Serving {
    /// `jarre-kv serve` with these arguments, once it listens.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = program();
        let mut errors = tempfile::tempfile().unwrap();
        command.arg("serve").args(args).stdout(Stdio::piped()).stderr(errors.try_clone().unwrap());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("listening at ") else {
            errors.rewind().unwrap();
            panic!("it says {line:?} and {:?}", io::read_to_string(errors).unwrap());
        };
        let url = url.to_owned();
        Self { child, url }
    }

    pub(crate) fn run(&self, args: &[&str], input: &str) -> Output {
        run(program().args(["--endpoints", &self.url]).args(args), input)
    }

    /// What a command that must succeed prints.
    pub(crate) fn says(&self, args: &[&str], input: &str) -> String {
        let output = self.run(args, input);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.says(&[&["--json"], args].concat(), "")).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jarre-kv"));
    command.env_remove("JARRE_KV_TOKEN").env_remove("JARRE_KV_ENDPOINTS");
    command
}

pub(crate) fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Some commands end without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Waits until it is so.
pub(crate) fn soon(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < SOON, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
