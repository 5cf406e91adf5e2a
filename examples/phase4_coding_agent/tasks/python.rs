use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use serde::Deserialize;

use super::{Language, TaskSpec, rows};

const SOLUTION: &str = "solution.py";
const TESTS: &str = "tests.py";
const RUNNER: &str = "run_tests.py";

#[derive(Deserialize)]
struct HumanEval {
    task_id: String,
    prompt: String,
    entry_point: String,
    canonical_solution: String,
    test: String,
}

#[derive(Deserialize)]
struct Mbpp {
    name: String,
    prompt: String,
    test: String,
}

/// `OpenAI`'s 164 tasks.
pub(super) fn read_human_eval(path: &Path) -> Result<Vec<TaskSpec>> {
    let rows: Vec<HumanEval> = rows::read(path)?;
    let tasks = rows.into_iter().map(|row| {
        let tests = format!("{}\n\ncheck({})\n", row.test, row.entry_point);
        let reference = format!("{}{}", row.prompt, row.canonical_solution);
        TaskSpec { reference: Some(reference.into()), ..task(row.task_id.replace('/', "_"), &row.prompt, &tests) }
    });
    Ok(tasks.collect())
}

/// MBPP as `MultiPL-E` has it.
pub(super) fn read_mbpp(path: &Path) -> Result<Vec<TaskSpec>> {
    let rows: Vec<Mbpp> = rows::read(path)?;
    Ok(rows.into_iter().map(|row| task(row.name, &row.prompt, &row.test)).collect())
}

fn task(name: String, prompt: &str, tests: &str) -> TaskSpec {
    let stub = format!("{}\n    raise NotImplementedError\n", prompt.trim_end());
    let tests =
        [(TESTS, format!("from {} import *\n\n{tests}", SOLUTION.trim_end_matches(".py"))), (RUNNER, include_str!("run_tests.py").into())];
    TaskSpec {
        name,
        language: Language::Python,
        instructions: format!(
            "Write the function in `{SOLUTION}` so that the tests in `{TESTS}` pass; `python3 {RUNNER}` runs them, every assertion as a \
             test of its own.\n\n{prompt}"
        ),
        files: BTreeMap::from([(SOLUTION.to_owned(), stub)]),
        tests: tests.map(|(path, text)| (path.to_owned(), text)).into(),
        solution: SOLUTION.into(),
        reference: None,
        command: vec!["python3".into(), RUNNER.into()],
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::*;

    /// The exit code and the report of the runner.
    fn judged(solution: &str, tests: &str) -> (Option<i32>, String) {
        let (folder, task) = (tempfile::tempdir().unwrap(), task("sum".into(), "def f(x):", tests));
        let solution = BTreeMap::from([(SOLUTION.to_owned(), solution.to_owned())]);
        super::super::lay(folder.path(), &task.tests.into_iter().chain(solution).collect()).unwrap();
        let output = Command::new(&task.command[0]).args(&task.command[1..]).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!fs::read_dir(folder.path()).unwrap().any(|entry| entry.unwrap().file_name() == "imported"), "{said}");
        (output.status.code(), said)
    }

    const TESTS: &str = "def check(candidate):\n    assert candidate(1) == 2\n    assert abs(candidate(2.5) - 3.5) < 1e-9\n\ncheck(f)\n";

    #[test]
    fn a_solution_that_forges_its_report_does_not_pass() {
        let forged = "b'Ran 7 tests in 0.001s\\n\\nOK\\n'";
        let forgers = [
            format!("import os\nos.write(2, {forged})\nos._exit(0)\n"),
            format!("import os\ndef f(x):\n    os.write(2, {forged})\n    os._exit(0)\n"),
            format!("import os\nos.write(2, {forged})\nos.kill(os.getppid(), 9)\n"),
            "class Any:\n    def __eq__(self, other): return True\n    def __sub__(self, other): return 0.0\ndef f(x): return Any()\n"
                .to_owned(),
            "def f(x): return 7\ndef abs(x): return 0\ndef run(*_): pass\ndef check(_): pass\n".to_owned(),
            "import sys\nfor frame in sys._current_frames().values():\n    while frame:\n        frame.f_globals['failed'] = []\n        \
             frame.f_globals['run'] = lambda *_: None\n        frame = frame.f_back\ndef f(x): return 7\n"
                .to_owned(),
        ];
        for forger in forgers {
            let (code, said) = judged(&forger, TESTS);
            assert_ne!(code, Some(0), "{forger}\n{said}");
        }
    }

    #[test]
    fn what_a_solution_leaves_in_the_folder_is_not_imported_by_its_judge() {
        let solution = "for name in ('random', 'string', 'json'):\n    open(name + '.py', 'w').write(\"open('imported', 'w'); import os; os._exit(0)\")\n\
                        def f(x): return 7\n";
        let (code, said) = judged(solution, &format!("import random, string\n{TESTS}"));
        assert_eq!(code, Some(1));
        assert!(said.ends_with("FAILED (failures=2, errors=0)\n"), "{said}");
    }

    #[test]
    fn plain_data_goes_over_and_comes_back_as_it_is() {
        let solution = "from typing import List\ndef f(x): return x\ndef twice(x: List[int], *, by=2): return [x] * by\ndef fails(x): return {}[x]\n\
                        def stays(x): x.append(1)\n";
        let tests = "values = [None, True, 0, -3, 10**5000, 'ä\\ud800\\n', b'\\xff', 0.1, float('inf'), 1j, (1, [2]), {1: {2}}, {(1, 2): 'x'}, \
                     frozenset({1}), range(1, 9, 2)]\nfor value in values:\n    assert f(value) == value and type(f(value)) == type(value)\n\
                     assert str(f(float('nan'))) == 'nan'\nassert twice(1, by=3) == [1, 1, 1]\ntry:\n    fails('key')\n    assert False\n\
                     except KeyError as error:\n    assert 'key' in str(error)\nassert f(str) == 1\nassert fails(2) == 1\n";
        let (code, said) = judged(solution, tests);
        assert_eq!(code, Some(1));
        assert!(said.contains("Ran 20 tests") && said.ends_with("FAILED (failures=1, errors=1)\n"), "{said}");
        assert!(said.contains("File \"solution.py\", line 4, in fails\n    def fails(x): return {}[x]\nKeyError: 2"), "{said}");
    }

    #[test]
    fn a_function_may_have_the_name_of_one_of_pythons_own() {
        let tests = "def check(candidate):\n    assert candidate([1, 2], 3) == 6\n\ndef test():\n    check(sum)\n\ntest()\n";
        let (code, said) = judged("def sum(numbers, more):\n    return numbers[0] + numbers[1] + more\n", tests);
        assert_eq!(code, Some(0), "{said}");
    }

    #[test]
    fn what_cannot_be_compiled_is_told_with_its_line() {
        let (code, said) = judged("def f(x:\n", TESTS);
        assert_eq!(code, Some(1));
        assert!(said.contains("ERROR: compile (tests.py:1)") && said.contains("File \"solution.py\", line 1\nSyntaxError: "), "{said}");
    }
}
