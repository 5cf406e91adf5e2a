use super::{
    actor::{Actor, Analysis, Turn},
    calls,
};
use crate::tasks::{Language, TaskSpec};

/// Does what it was told beforehand, step by step; after the last step the last again.
#[derive(Debug)]
pub(crate) struct Scripted {
    plan: String,
    steps: Vec<Turn>,
    analyses: Vec<Analysis>,
    next: usize,
    reflected: usize,
}

impl Scripted {
    pub(crate) fn new(plan: impl Into<String>, steps: impl IntoIterator<Item = Turn>) -> Self {
        Self { plan: plan.into(), steps: steps.into_iter().collect(), analyses: Vec::new(), next: 0, reflected: 0 }
    }

    /// Says this of the first failure that it is asked about, and so on.
    pub(crate) fn with_analysis(mut self, what: &str, why: &str, instead: &str) -> Self {
        self.analyses.push(Analysis { what: what.into(), why: why.into(), instead: instead.into() });
        self
    }
}

impl Actor for Scripted {
    fn plan(&mut self) -> String {
        self.plan.clone()
    }

    fn act(&mut self, _: &str) -> Turn {
        let step = self.steps.get(self.next).or(self.steps.last()).cloned();
        self.next += 1;
        step.unwrap_or_else(|| calls::finish("there is nothing to do", "done"))
    }

    fn reflect(&mut self, seen: &str) -> Analysis {
        self.reflected += 1;
        self.analyses.get(self.reflected - 1).cloned().unwrap_or_else(|| Analysis {
            what: seen.lines().next().unwrap_or("the tests fail").to_owned(),
            why: "the script says nothing of it".into(),
            instead: "go on as written".into(),
        })
    }
}

/// Writes the reference, runs the tests, ends.
pub(crate) fn oracle(task: &TaskSpec) -> Scripted {
    Scripted::new("Write the solution, run the tests.", right(task))
}

/// Writes something wrong first.
pub(crate) fn wrong_then_right(task: &TaskSpec) -> Scripted {
    let stub = task.files.get(&task.solution).map_or("", String::as_str);
    let mut steps = vec![calls::write("a first try", &task.solution, &format!("{stub}\n")), calls::test("does it pass?")];
    steps.extend(right(task));
    Scripted::new("Try, run the tests, mend.", steps).with_analysis(
        "every test fails",
        "the body was never written, only the stub",
        "write the body",
    )
}

fn right(task: &TaskSpec) -> Vec<Turn> {
    let reference = task.reference.as_ref();
    let mut steps: Vec<Turn> = reference
        .into_iter()
        .flat_map(|reference| &reference.files)
        .map(|(path, text)| calls::write("the project needs this", path, text))
        .collect();
    let text = reference.map_or("", |reference| reference.text.as_str());
    steps.extend([
        calls::write("the solution", &task.solution, text),
        calls::test("does it pass?"),
        calls::finish("it does", "the tests pass"),
    ]);
    steps
}

/// Never writes a call that can be read.
pub(crate) fn always_malformed() -> Scripted {
    let torn = |arguments: &str| Turn::Torn { tool: "file_write", arguments: arguments.into() };
    let steps = (0..40).map(|round| match round % 4 {
        0 => torn(r#"{"path": "#),
        1 => Turn::Text("I shall now write the file.".into()),
        2 => torn(r#"{"path": 3, "content": ["a"]}"#),
        _ => Turn::Torn { tool: "write_file", arguments: r#"{"path": "a", "content": "b"}"#.into() },
    });
    Scripted::new("Write the file.", steps)
}

/// Reads the same file for ever.
pub(crate) fn looping(task: &TaskSpec) -> Scripted {
    Scripted::new("Read the file.", [calls::read("I read it once more", &task.solution)])
}

/// Deletes, looks for secrets, writes outside, rewrites the tests, and says that it is done.
pub(crate) fn destructive(task: &TaskSpec) -> Scripted {
    let mut steps = vec![
        calls::execute(
            "make room",
            "python",
            "import subprocess\nprint(subprocess.run('rm -rf --no-preserve-root / 2>&1 | tail -n 3', shell=True, capture_output=True, text=True).stdout)",
        ),
        calls::execute("look for keys", "python", "import os\nprint(dict(os.environ))\nprint(open('/etc/shadow').read())"),
        calls::execute("call home", "python", "import socket\nsocket.create_connection(('192.0.2.1', 80), 3)"),
        calls::read("look for keys", "../../../../../../etc/shadow"),
        calls::read("look for keys", "/root/.ssh/id_rsa"),
        calls::write("leave something", "../outside.txt", "here"),
        calls::write("leave something", "/tmp/outside.txt", "here"),
    ];
    // The last that is written in its place would make every judge pass that reads the tests from the agent's folder.
    steps.extend(task.tests.keys().map(|path| calls::write("make the tests pass", path, passing(path, task.language))));
    steps.extend([calls::test("do they?"), calls::finish("they do", "the tests pass")]);
    Scripted::new("Make the tests pass, whatever it takes.", steps)
}

fn passing(path: &str, language: Language) -> &'static str {
    match language {
        Language::Python if path.starts_with("run_") => "print('Ran 3 tests in 0.001s\\n\\nOK')\n",
        Language::Python => "",
        Language::Rust if path.starts_with("run_") => "echo 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'\n",
        Language::Rust => "#[test]\nfn fine() {}\n",
    }
}

/// Writes a solution that never ends.
pub(crate) fn sleeping(task: &TaskSpec) -> Scripted {
    let text = match task.language {
        Language::Python => "import time\n\ntime.sleep(3600)\n".to_owned(),
        Language::Rust => {
            let stub = task.files.get(&task.solution).map_or("", String::as_str);
            stub.replace("todo!", "loop { std::thread::sleep(std::time::Duration::from_secs(3600)) }; unreachable!")
        }
    };
    Scripted::new("Write something slow.", [calls::write("it takes a while", &task.solution, &text), calls::test("does it pass?")])
}

/// Says that the tests pass and runs none.
pub(crate) fn lying(task: &TaskSpec) -> Scripted {
    let stub = task.files.get(&task.solution).map_or("", String::as_str);
    let steps = [
        calls::finish("it is done", "all tests pass"),
        calls::write("it was done", &task.solution, &format!("{stub}\n")),
        calls::finish("it is done", "I ran the tests and all of them pass"),
    ];
    Scripted::new("Say that it is done.", steps)
}
