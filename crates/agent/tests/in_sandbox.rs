//! The tools that run commands, in the sandbox itself.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    sync::mpsc,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use jarre_agent::{
    TestReport, Workspace,
    tools::{CodeExecute, FileWrite, Language, Runner, TestFormat, TestRun},
};
use jarre_core::{ErrorKind, Tool, ToolContext, ToolOutput};
use jarre_sandbox::{Cancel, Command, Execution, Limits, Sandbox, SandboxConfig};
use serde_json::{Value, json};

fn call(tool: &dyn Tool, arguments: Value) -> ToolOutput {
    pollster::block_on(tool.call(arguments, &ToolContext::default())).unwrap()
}

#[expect(clippy::print_stdout, reason = "why a test did nothing")]
/// `None`, and why, on a machine that cannot hold commands.
fn sandbox() -> Option<Sandbox> {
    Sandbox::new(SandboxConfig::default()).inspect_err(|error| println!("skipped: {error}")).ok()
}

const SHOP: &str = "def total(prices):\n    return sum(prices)\n";
const TESTS: &str = "import unittest\nimport shop\n\nclass Prices(unittest.TestCase):\n    def test_total(self):\n        \
                     self.assertEqual(shop.total([1, 2]), 3)\n\n    def test_tax(self):\n        self.assertEqual(shop.total([1]) * 2, 3)\n";

#[test]
fn code_and_tests_run_in_the_folder_of_the_workspace() {
    let Some(sandbox) = sandbox() else { return };
    let folder = sandbox.empty_dir().unwrap();
    let workspace = Workspace::open(folder.path()).unwrap();
    let write = FileWrite::new(workspace.clone());
    call(&write, json!({"path": "shop.py", "content": SHOP}));
    call(&write, json!({"path": "tests/test_shop.py", "content": TESTS}));

    let execute = CodeExecute::new(sandbox.clone(), folder.path(), vec![Language::python(), Language::shell()]).unwrap();
    let output = call(&execute, json!({"language": "python", "code": "import shop; print(shop.total([1, 2]), input())", "input": "x"}));
    assert_eq!(output.text, "exit code 0\n--- stdout\n3 x\n");
    assert_eq!(output.data.unwrap()["changed"], false, "code that only reads needs no tests after it");
    let output = call(&execute, json!({"language": "shell", "code": "echo made > tests/made && exit 7"}));
    assert!(output.text.starts_with("exit code 7"), "a command may write where the workspace made a folder: {}", output.text);
    assert_eq!(output.data.unwrap()["changed"], true);
    assert_eq!(workspace.read("tests/made").unwrap(), "made\n");

    let command = ["python3", "-m", "unittest", "discover", "-s", "tests", "-t", "."];
    let tests = TestRun::new(sandbox, folder.path(), command, TestFormat::Unittest).unwrap();
    call(&write, json!({"path": "tests/__init__.py", "content": ""}));
    let output = call(&tests, json!({}));
    let report: TestReport = serde_json::from_value(output.data.unwrap()["tests"].clone()).unwrap();
    assert_eq!((report.passed, report.failed), (1, 1), "{}", output.text);
    assert_eq!(report.failures[0].name, "tests.test_shop.Prices.test_tax");
    assert!(!call(&tests, json!({"filter": "test_total"})).is_error);
}

/// Ends when it is told to, and says so.
struct Waits(mpsc::Sender<()>);

impl Runner for Waits {
    fn run(&self, command: &Command, limits: &Limits) -> jarre_sandbox::Result<Execution> {
        self.run_until(command, limits, &Cancel::new())
    }

    fn run_until(&self, _: &Command, _: &Limits, cancel: &Cancel) -> jarre_sandbox::Result<Execution> {
        for _ in 0..10_000 {
            if cancel.is_cancelled() {
                self.0.send(()).unwrap();
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        Err(jarre_sandbox::Error::Invalid("it was told to end".into()))
    }
}

#[test]
fn a_call_that_is_dropped_is_cancelled() {
    let (sender, cancelled) = mpsc::channel();
    let execute = CodeExecute::new(Waits(sender), "/", vec![Language::shell()]).unwrap();
    let context = ToolContext::new("k");
    let mut call = execute.call(json!({"language": "shell", "code": "sleep 60"}), &context);
    assert!(matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    assert!(cancelled.try_recv().is_err());
    drop(call);
    cancelled.recv_timeout(Duration::from_secs(9)).expect("the command is told to end");
}

#[test]
fn a_sandbox_that_refuses_is_told_to_the_caller() {
    let Some(sandbox) = sandbox() else { return };
    let execute = CodeExecute::new(sandbox, "/nowhere", vec![Language::shell()]).unwrap();
    let refused = pollster::block_on(execute.call(json!({"language": "shell", "code": "true"}), &ToolContext::new("k"))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
}
