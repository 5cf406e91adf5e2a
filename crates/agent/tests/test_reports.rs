//! What tools that run tests make of what test programs print.
#![expect(clippy::unwrap_used, reason = "tests")]

use jarre_agent::{
    TestReport,
    tools::{Runner, TestFormat, TestRun},
};
use jarre_core::{Tool, ToolContext, ToolOutput};
use jarre_sandbox::{Command, Execution, Limits};
use proptest::prelude::*;
use serde_json::{Value, json};

const CARGO: &str = "
running 4 tests
test tests::adds ... ok
test tests::slow ... ignored, takes long
test tests::subtracts ... FAILED
test tests::refuses - should panic ... FAILED

failures:

---- tests::subtracts stdout ----
some output

thread 'tests::subtracts' (4242) panicked at src/lib.rs:21:9:
assertion `left == right` failed
  left: 3
 right: 4
stack backtrace:
   0: __rustc::rust_begin_unwind
             at /rustc/5980/library/std/src/panicking.rs:689:5
   1: shop::tests::subtracts
note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.

---- tests::refuses stdout ----
note: test did not panic as expected at src/lib.rs:26:8

failures:
    tests::refuses
    tests::subtracts

test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s


running 1 test
test src/lib.rs - double (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.12s
";

const COMPILER: &str = "   Compiling shop v0.1.0 (/work)
warning: unused variable: `x`
 --> src/lib.rs:1:5

error[E0308]: mismatched types
  --> src/lib.rs:7:5
   |
7  |     \"x\"
   |     ^^^ expected `i32`, found `&str`

error: cannot find macro `asert` in this scope
 --> tests/all.rs:3:5

Some errors have detailed explanations: E0308.
For more information about this error, try `rustc --explain E0308`.
error: could not compile `shop` (lib) due to 2 previous errors
";

const PYTEST: &str = "============================= test session starts ==============================
collected 5 items

tests/test_shop.py .F.E                                                  [100%]

==================================== ERRORS ====================================
_______________________ ERROR at setup of test_database ________________________

    @pytest.fixture
    def database():
>       raise OSError('no database')
E       OSError: no database

tests/test_shop.py:5: OSError
=================================== FAILURES ===================================
_____________________________ TestPrice.test_total _____________________________

self = <test_shop.TestPrice object at 0x7f>

    def test_total(self):
>       assert total([1, 2]) == 4
E       assert 3 == 4
E        +  where 3 = total([1, 2])

tests/test_shop.py:12: AssertionError
=========================== short test summary info ============================
FAILED tests/test_shop.py::TestPrice::test_total - assert 3 == 4
ERROR tests/test_shop.py::test_database - OSError: no database
=============== 1 failed, 2 passed, 1 skipped, 1 warning, 1 error in 0.05s ===============
";

const UNITTEST: &str = "F.sE
======================================================================
ERROR: test_broken (test_shop.TestPrice.test_broken)
----------------------------------------------------------------------
Traceback (most recent call last):
  File \"/work/test_shop.py\", line 19, in test_broken
    raise ValueError('x')
ValueError: x

======================================================================
FAIL: test_total (test_shop.TestPrice)
----------------------------------------------------------------------
Traceback (most recent call last):
  File \"/work/test_shop.py\", line 8, in test_total
    self.assertEqual(total([1, 2]), 4)
AssertionError: 3 != 4

----------------------------------------------------------------------
Ran 4 tests in 0.001s

FAILED (failures=1, errors=1, skipped=1)
";

fn counts(report: &TestReport) -> (u64, u64, u64) {
    (report.passed, report.failed, report.skipped)
}

fn names(report: &TestReport) -> Vec<&str> {
    report.failures.iter().map(|failure| failure.name.as_str()).collect()
}

#[test]
fn cargo_test_is_read() {
    let report = TestFormat::Cargo.parse(CARGO, "");
    assert_eq!(counts(&report), (2, 2, 1));
    assert_eq!(names(&report), ["tests::subtracts", "tests::refuses"]);
    let failure = &report.failures[0];
    assert_eq!(failure.at.as_deref(), Some("src/lib.rs:21"));
    assert_eq!(failure.message, "some output\n\nassertion `left == right` failed\n  left: 3\n right: 4");
    assert!(report.failures[1].message.contains("did not panic as expected"));
}

#[test]
fn two_binaries_may_have_tests_of_one_name() {
    let report = TestFormat::Cargo.parse(&CARGO.repeat(2), "");
    assert_eq!(counts(&report), (4, 4, 2));
    assert_eq!(report.failures.len(), 4);
}

#[test]
fn output_with_a_part_missing_gives_the_names_that_are_left() {
    for end in 0..CARGO.len() {
        let start = CARGO.char_indices().nth(end).map_or(CARGO.len(), |(at, _)| at);
        let report = TestFormat::Cargo.parse(&CARGO[..start], "");
        let seen = CARGO[..start].contains("test tests::subtracts ... FAILED\n");
        assert!(!seen || names(&report).contains(&"tests::subtracts") && report.failed >= 1);
    }
    // The middle of the output, with all that was said before the list of names, is gone.
    let tail = &CARGO[CARGO.rfind("failures:\n").unwrap()..];
    let report = TestFormat::Cargo.parse(tail, "");
    assert_eq!(names(&report), ["tests::refuses", "tests::subtracts"]);
    assert_eq!(counts(&report), (2, 2, 1));
}

#[test]
fn pytest_is_read() {
    let report = TestFormat::Pytest.parse(PYTEST, "");
    assert_eq!(counts(&report), (2, 2, 1));
    assert_eq!(names(&report), ["tests/test_shop.py::TestPrice::test_total", "tests/test_shop.py::test_database"]);
    assert_eq!(report.failures[0].message, "assert 3 == 4\n +  where 3 = total([1, 2])");
    assert_eq!(report.failures[0].at.as_deref(), Some("tests/test_shop.py:12"));
    assert_eq!(report.failures[1].message, "OSError: no database");
    let quiet = TestFormat::Pytest.parse("..\n2 passed in 0.01s\n", "");
    assert!(quiet.is_green() && quiet.passed == 2);
    let cut = TestFormat::Pytest.parse(&PYTEST[..PYTEST.find("====== short").unwrap()], "");
    assert_eq!(names(&cut), ["test_database", "TestPrice.test_total"], "the sections are what is left");
    assert!(!TestFormat::Pytest.parse("no tests ran in 0.00s", "").is_green());
}

#[test]
fn unittest_is_read() {
    let report = TestFormat::Unittest.parse("", UNITTEST);
    assert_eq!(counts(&report), (1, 2, 1));
    assert_eq!(names(&report), ["test_shop.TestPrice.test_broken", "test_shop.TestPrice.test_total"]);
    assert_eq!(report.failures[1].at.as_deref(), Some("/work/test_shop.py:8"));
    assert!(report.failures[1].message.ends_with("AssertionError: 3 != 4"), "{}", report.failures[1].message);
    assert!(TestFormat::Unittest.parse("", "...\n-----\nRan 3 tests in 0.000s\n\nOK\n").is_green());
    assert!(!TestFormat::Unittest.parse("", "Ran 0 tests in 0.000s\n\nOK\n").is_green());
}

struct Once(Execution);

impl Runner for Once {
    fn run(&self, _: &Command, _: &Limits) -> jarre_sandbox::Result<Execution> {
        Ok(self.0.clone())
    }
}

fn run(format: TestFormat, exit: &Value, streams: [&str; 2], limits_hit: &Value) -> (ToolOutput, TestReport) {
    let captured = |text: &str| json!({"text": text, "dropped": 0});
    let execution = json!({
        "exit": exit, "stdout": captured(streams[0]), "stderr": captured(streams[1]), "limits_hit": limits_hit,
        "wall": {"secs": 0, "nanos": 0}, "cpu": null, "peak_memory": null, "protection": {"in_force": {}, "missing": []}
    });
    let runner = Once(serde_json::from_value(execution).unwrap());
    let tool = TestRun::new(runner, "/", ["tests", "all"], format).unwrap();
    let output = pollster::block_on(tool.call(json!({}), &ToolContext::new("k"))).unwrap();
    let report = serde_json::from_value(output.data.as_ref().unwrap()["tests"].clone()).unwrap();
    (output, report)
}

#[test]
fn failures_are_told_with_place_and_message() {
    let (output, report) = run(TestFormat::Cargo, &json!({"code": 101}), [CARGO, "error: test failed"], &json!([]));
    assert!(output.is_error);
    assert!(
        output.text.starts_with("2 passed, 2 failed, 1 skipped (exit code 101)\n--- tests::subtracts at src/lib.rs:21\n"),
        "{}",
        output.text
    );
    assert_eq!(report, TestFormat::Cargo.parse(CARGO, ""));
}

#[test]
fn what_does_not_compile_is_one_failure_with_the_errors() {
    let (output, report) = run(TestFormat::Cargo, &json!({"code": 101}), ["", COMPILER], &json!([]));
    assert_eq!((counts(&report), names(&report)), ((0, 1, 0), vec!["tests all"]));
    let failure = &report.failures[0];
    assert_eq!(failure.at.as_deref(), Some("src/lib.rs:7"));
    assert!(failure.message.contains("error[E0308]: mismatched types") && failure.message.contains("cannot find macro `asert`"));
    assert!(!failure.message.contains("unused variable") && !failure.message.contains("could not compile"), "{}", failure.message);
    assert!(output.is_error);
}

#[test]
fn an_ending_weighs_more_than_what_was_printed() {
    let green = "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
    let (output, report) = run(TestFormat::Cargo, &json!({"code": 0}), [green, ""], &json!([]));
    assert!(report.is_green() && !output.is_error);
    for (exit, limits) in
        [(json!({"code": 101}), json!([])), (json!({"signal": 9}), json!(["wall"])), (json!({"code": 0}), json!(["memory"]))]
    {
        let (output, report) = run(TestFormat::Cargo, &exit, [green, ""], &limits);
        assert!(!report.is_green() && output.is_error, "{exit}");
        assert_eq!(names(&report), ["tests all"]);
    }
    let (output, _) = run(TestFormat::Cargo, &json!({"signal": 9}), [green, ""], &json!(["wall"]));
    assert!(output.text.contains("ended by signal 9, it took too long and was ended"), "{}", output.text);
    let (_, report) = run(TestFormat::Cargo, &json!({"code": 0}), [green, ""], &json!(["output"]));
    assert!(report.is_green(), "output that was cut is no failure");
    let (output, report) = run(TestFormat::Cargo, &json!({"code": 0}), ["", ""], &json!([]));
    assert!(!report.is_green() && output.text.contains("no test ran"), "nothing is not a success");
}

#[test]
fn any_command_is_a_test() {
    let (_, report) = run(TestFormat::ExitCode, &json!({"code": 0}), ["", ""], &json!([]));
    assert!(report.is_green());
    let (output, report) = run(TestFormat::ExitCode, &json!({"code": 2}), ["out", "make: *** [all] Error 2"], &json!([]));
    assert_eq!(counts(&report), (0, 1, 0));
    assert!(output.text.contains("exit code 2") && output.text.contains("make: *** [all] Error 2"), "{}", output.text);
}

proptest! {
    #[test]
    fn no_output_is_a_panic(pieces in proptest::collection::vec(0usize..16, 0..30), noise in "\\PC{0,30}") {
        let words = [
            "test ",
            " ... FAILED\n",
            "---- ",
            " stdout ----\n",
            "failures:\n",
            "    a\n",
            "test result: ",
            "9999999999999999999999 passed; 1 failed;",
            "\n",
            "FAILED a.py::b - c\n",
            "____ é ____\n",
            "E  é\n",
            "FAIL: a (b)\n",
            "Ran 99999999999999999999 tests\n",
            "FAILED (failures=1)\n",
            " panicked at é:\n",
        ];
        let output: String = pieces.iter().map(|piece| words[*piece]).chain([noise.as_str()]).collect();
        for format in [TestFormat::Cargo, TestFormat::Pytest, TestFormat::Unittest, TestFormat::ExitCode] {
            let report = format.parse(&output, &output);
            prop_assert!(report.failed >= report.failures.len() as u64);
        }
    }
}
