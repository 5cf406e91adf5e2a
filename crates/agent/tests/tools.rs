//! The tools that come with the crate: what every tool keeps, and what each does.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::VecDeque,
    fs,
    sync::{Arc, Mutex},
};

use jarre_agent::{
    Toolbox, Workspace,
    tools::{
        Calculator, CodeExecute, FileEdit, FileRead, FileWrite, Language, ListFiles, Passage, Retrieve, Runner, SearchText, TestFormat,
        TestRun,
    },
};
use jarre_core::{ErrorKind, Permission, Tool, ToolContext, ToolOutput, ToolSpec, testing::FnTool, testing::contract};
use jarre_sandbox::{Command, Execution, Limits};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A sandbox whose answers are written beforehand; it notes what it was asked.
#[derive(Clone, Default)]
struct Double {
    answers: Arc<Mutex<VecDeque<Execution>>>,
    asked: Arc<Mutex<Vec<Command>>>,
}

impl Double {
    fn answering(answers: impl IntoIterator<Item = Execution>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), asked: Arc::default() }
    }

    fn asked(&self) -> Vec<Command> {
        self.asked.lock().unwrap().clone()
    }
}

impl Runner for Double {
    fn run(&self, command: &Command, _: &Limits) -> jarre_sandbox::Result<Execution> {
        self.asked.lock().unwrap().push(command.clone());
        let answer = self.answers.lock().unwrap().pop_front();
        answer.ok_or_else(|| jarre_sandbox::Error::Invalid("no answer is left".into()))
    }
}

fn execution(code: i32, stdout: &str, stderr: &str) -> Execution {
    let captured = |text: &str| json!({"text": text, "dropped": 0});
    let execution = json!({
        "exit": {"code": code}, "stdout": captured(stdout), "stderr": captured(stderr), "limits_hit": [],
        "wall": {"secs": 0, "nanos": 0}, "cpu": null, "peak_memory": null, "protection": {"in_force": {}, "missing": []}
    });
    serde_json::from_value(execution).unwrap()
}

fn workspace() -> (TempDir, Workspace) {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::open(folder.path()).unwrap();
    (folder, workspace)
}

fn call(tool: &dyn Tool, arguments: Value) -> ToolOutput {
    // An empty key is none: each of these calls acts.
    pollster::block_on(tool.call(arguments, &ToolContext::default())).unwrap()
}

fn failure(tool: &dyn Tool, arguments: Value) -> String {
    let output = call(tool, arguments);
    assert!(output.is_error, "{}", output.text);
    output.text
}

const GREEN: &str = "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";

#[test]
fn every_tool_keeps_the_contract() {
    let (_folder, workspace) = workspace();
    workspace.write("a.txt", "one\ntwo\n", "test").unwrap();
    let green = || Double::answering((0..9).map(|_| execution(0, GREEN, "")));
    let check = |tool: &dyn Tool, arguments: Value| pollster::block_on(contract::tool(tool, &arguments));
    check(&FileRead::new(workspace.clone()), json!({"path": "a.txt"}));
    check(&FileWrite::new(workspace.clone()), json!({"path": "b.txt", "content": "x"}));
    check(&FileEdit::new(workspace.clone()), json!({"path": "a.txt", "search": "two", "replace": "three"}));
    check(&ListFiles::new(workspace.clone()), json!({}));
    check(&SearchText::new(workspace), json!({"pattern": "one"}));
    check(&Calculator::new(), json!({"expression": "1/3"}));
    check(&Retrieve::new("notes", |_, _, _| Ok(vec![Passage::new("a", "b")])), json!({"query": "x"}));
    check(&CodeExecute::new(green(), "/", vec![Language::python()]).unwrap(), json!({"language": "python", "code": "1"}));
    check(&TestRun::new(green(), "/", ["cargo", "test"], TestFormat::Cargo).unwrap(), json!({}));
}

#[test]
fn arguments_beyond_the_schema_are_refused_before_anything_is_done() {
    let (folder, workspace) = workspace();
    let write = FileWrite::new(workspace);
    for arguments in [
        json!({"path": "a", "content": "x", "mode": "777"}),
        json!({"path": 7, "content": "x"}),
        json!({"path": "", "content": "x"}),
        json!({"path": "a", "content": null}),
        json!(null),
    ] {
        let refused = pollster::block_on(write.call(arguments.clone(), &ToolContext::new("k"))).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidRequest, "{arguments}");
        assert!(refused.to_string().starts_with("the arguments of `file_write` do not fit: "), "{refused}");
    }
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[test]
fn a_call_with_the_key_of_an_earlier_one_acts_once() {
    let (folder, workspace) = workspace();
    let write = FileWrite::new(workspace.clone());
    let context = ToolContext::new("key");
    let first = pollster::block_on(write.call(json!({"path": "a", "content": "x"}), &context)).unwrap();
    fs::write(folder.path().join("a"), "by another").unwrap();
    assert_eq!(pollster::block_on(write.call(json!({"path": "a", "content": "x"}), &context)).unwrap(), first);
    assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "by another");
    assert_eq!(workspace.changes()[0].by, "file_write key");

    let double = Double::answering([execution(0, GREEN, "")]);
    let tests = Arc::new(TestRun::new(double.clone(), "/", ["cargo", "test"], TestFormat::Cargo).unwrap());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let tests = Arc::clone(&tests);
            std::thread::spawn(move || pollster::block_on(tests.call(json!({}), &ToolContext::new("key"))).unwrap())
        })
        .collect();
    for thread in threads {
        assert!(!thread.join().unwrap().is_error);
    }
    assert_eq!(double.asked().len(), 1, "four calls of one key at once run the tests once");
}

#[test]
fn files_are_read_by_lines() {
    let (_folder, workspace) = workspace();
    let read = FileRead::new(workspace.clone());
    let text: String = (1..=1200).flat_map(|line| ["line ".to_owned(), line.to_string(), "\n".to_owned()]).collect();
    workspace.write("long", &text, "test").unwrap();
    workspace.write("wide", &"é".repeat(5000), "test").unwrap();
    workspace.write("empty", "", "test").unwrap();
    let output = call(&read, json!({"path": "long", "from": 3, "lines": 2}));
    assert_eq!(output.text, "     3\tline 3\n     4\tline 4\n(lines 3 to 4 of 1200; read on from 5)");
    let output = call(&read, json!({"path": "long"}));
    assert!(output.text.ends_with("(lines 1 to 500 of 1200; read on from 501)"));
    assert_eq!(output.data.unwrap()["total"], 1200);
    assert!(!call(&read, json!({"path": "long", "from": 1200})).text.contains("read on"));
    assert!(call(&read, json!({"path": "wide"})).text.ends_with("é… (4000 more characters)\n"));
    assert_eq!(call(&read, json!({"path": "empty"})).text, "the file is empty");
    assert_eq!(failure(&read, json!({"path": "long", "from": 1201})), "`long`: it has 1200 lines, there is no line 1201");
    assert!(failure(&read, json!({"path": "../x"})).contains("leaves the folder"));
}

#[test]
fn writing_shows_what_changed() {
    let (folder, workspace) = workspace();
    let write = FileWrite::new(workspace);
    let created = call(&write, json!({"path": "src/a.rs", "content": "one\ntwo\n"}));
    assert_eq!(created.text, "created `src/a.rs` with 2 lines");
    assert_eq!(created.data.unwrap()["diff"], "--- /dev/null\n+++ b/src/a.rs\n@@ -0,0 +1,2 @@\n+one\n+two\n");
    let changed = call(&write, json!({"path": "src/a.rs", "content": "one\n2\n"}));
    assert!(changed.text.starts_with("changed `src/a.rs`: 1 lines added, 1 removed\n--- a/src/a.rs"), "{}", changed.text);
    assert_eq!(changed.data.unwrap()["created"], false);
    assert_eq!(call(&write, json!({"path": "src/a.rs", "content": "one\n2\n"})).text, "`src/a.rs` already had this text");
    assert_eq!(fs::read_to_string(folder.path().join("src/a.rs")).unwrap(), "one\n2\n");
}

#[test]
fn edits_are_exact_or_say_so() {
    let (folder, workspace) = workspace();
    let edit = FileEdit::new(workspace.clone());
    let text = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
    workspace.write("a.rs", "fn f() {\n    one();\n    one();\n}\n", "test").unwrap();
    let told = failure(&edit, json!({"path": "a.rs", "search": "one();", "replace": "two();"}));
    assert!(told.contains("there 2 times, in the lines 2, 3"), "{told}");
    assert_eq!(text("a.rs"), "fn f() {\n    one();\n    one();\n}\n", "what is unclear changes nothing");
    let output = call(&edit, json!({"path": "a.rs", "search": "one();", "replace": "two();", "all": true}));
    assert!(output.text.starts_with("replaced 2 times\n"), "{}", output.text);
    let output = call(&edit, json!({"path": "a.rs", "search": "fn f() {\n  two();\n", "replace": "fn g() {\n  two();\n"}));
    assert!(output.text.starts_with("the text was found only after"), "{}", output.text);
    assert!(text("a.rs").starts_with("fn g() {\n"));
    let told = failure(&edit, json!({"path": "a.rs", "search": "fn h() {", "replace": ""}));
    assert!(told.contains("what comes nearest is\n     1\tfn g() {"), "{told}");
    assert_eq!(failure(&edit, json!({"path": "a.rs", "search": "fn", "replace": "fn"})), "`a.rs`: the edit changes nothing");

    workspace.write("dos.txt", "one\r\ntwo\r\n", "test").unwrap();
    call(&edit, json!({"path": "dos.txt", "search": "one\ntwo", "replace": "1\n2\n3"}));
    assert_eq!(text("dos.txt"), "1\r\n2\r\n3\r\n", "lines end as they did");
}

#[test]
fn listings_leave_out_what_git_does_and_what_is_hidden() {
    let (folder, workspace) = workspace();
    for (path, content) in [
        (".gitignore", "target/\n*.log\n"),
        ("src/lib.rs", "x"),
        ("target/big", ""),
        ("a.log", ""),
        (".git/config", ""),
        ("keys/id", ""),
        ("sub/.gitignore", "!b.log\n"),
        ("sub/b.log", ""),
    ] {
        workspace.write(path, content, "test").unwrap();
    }
    std::os::unix::fs::symlink("/etc", folder.path().join("link")).unwrap();
    let list = ListFiles::new(workspace.hiding("keys/**"));
    let output = call(&list, json!({}));
    assert_eq!(
        output.text,
        ".gitignore (14 bytes)\nlink (link)\nsrc/\nsrc/lib.rs (1 bytes)\nsub/\nsub/.gitignore (7 bytes)\nsub/b.log (0 bytes)\n"
    );
    assert_eq!(output.data.unwrap()["complete"], true);
    assert!(call(&list, json!({"all": true})).text.contains("target/big"));
    assert_eq!(call(&list, json!({"glob": "**/*.rs"})).text, "src/lib.rs (1 bytes)\n");
    assert_eq!(call(&list, json!({"path": "sub"})).text, "sub/.gitignore (7 bytes)\nsub/b.log (0 bytes)\n");
    assert_eq!(call(&list, json!({"glob": "nothing"})).text, "there are no files\n");
    assert!(failure(&list, json!({"path": "link"})).contains("links are not followed"));
    assert!(failure(&list, json!({"path": "keys"})).contains("kept from you"));
}

#[test]
fn listings_end_somewhere() {
    let (folder, workspace) = workspace();
    for file in 0..1100 {
        fs::write(folder.path().join(format!("{file:04}")), "").unwrap();
    }
    let output = call(&ListFiles::new(workspace), json!({}));
    assert!(
        output.text.ends_with("0999 (0 bytes)\n(there is more; give a `path` or a `glob` for the others)\n"),
        "{}",
        &output.text[output.text.len() - 100..]
    );
    let mut deep = folder.path().join("d");
    for _ in 0..100 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    let output = call(&ListFiles::new(Workspace::open(folder.path().join("d")).unwrap()), json!({}));
    assert!(output.text.ends_with("(1 folders could not be read or lie too deep)\n"));
}

#[test]
fn searches_tell_lines() {
    let (folder, workspace) = workspace();
    workspace.write("a.rs", "one\ntwo\nthree\nfour\nfive\nTwo\n", "test").unwrap();
    workspace.write("b/c.txt", "two\n", "test").unwrap();
    fs::write(folder.path().join("binary"), b"two\0").unwrap();
    // A file of 1 TiB that takes no space, and comes first.
    fs::File::create(folder.path().join("0")).unwrap().set_len(1 << 40).unwrap();
    let search = SearchText::new(workspace);
    let output = call(&search, json!({"pattern": "^two"}));
    assert_eq!(output.text, "a.rs:2: two\nb/c.txt:1: two\n(2 files are no text, too large or unreadable)\n");
    assert_eq!(output.data.unwrap()["matches"][0], json!({"path": "a.rs", "line": 2}));
    let output = call(&search, json!({"pattern": "two", "path": "a.rs", "context": 1, "ignore_case": true}));
    assert_eq!(output.text, "a.rs-1- one\na.rs:2: two\na.rs-3- three\n--\na.rs-5- five\na.rs:6: Two\n");
    assert_eq!(call(&search, json!({"pattern": "two", "glob": "*.rs"})).text, "a.rs:2: two\n");
    assert!(call(&search, json!({"pattern": "zzz"})).text.starts_with("nothing matches\n"));
    assert!(failure(&search, json!({"pattern": "("})).contains("not a regular expression"));
    assert!(failure(&search, json!({"pattern": "x", "path": "nowhere"})).contains("there is no such folder"));
    assert!(failure(&search, json!({"pattern": "\\w{1000}{1000}"})).contains("not a regular expression"));
}

#[test]
fn what_would_take_too_long_is_left_out_and_told() {
    let (_folder, workspace) = workspace();
    workspace.write("sub/.gitignore", &format!("{}b\n{}", "*a".repeat(500), "x\n".repeat(1001)), "test").unwrap();
    workspace.write("long", &format!("first {} last\n", "a".repeat(64 << 10)), "test").unwrap();
    let (list, search) = (ListFiles::new(workspace.clone()), SearchText::new(workspace));
    let told = "(2 patterns of .gitignore files are too long or too many and were not heeded)\n";
    for path in [".", "sub"] {
        assert!(call(&list, json!({"path": path})).text.ends_with(told));
    }
    assert_eq!(call(&search, json!({"pattern": "first", "path": "long"})).data.unwrap()["matches"][0]["line"], 1);
    let output = call(&search, json!({"pattern": "last"}));
    assert_eq!(
        output.text,
        format!("nothing matches\n{told}(1 lines are longer than 65536 bytes, of which only the beginning was searched)\n")
    );
    assert_eq!(output.data.unwrap()["complete"], false);
    for (tool, arguments) in [(&list as &dyn Tool, json!({"glob": "*".repeat(1001)})), (&search, json!({"pattern": "x".repeat(1001)}))] {
        let refused = pollster::block_on(tool.call(arguments, &ToolContext::new("long"))).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidRequest);
    }
}

#[test]
fn searches_end_somewhere() {
    let (_folder, workspace) = workspace();
    workspace.write("a", &"x\n".repeat(1000), "test").unwrap();
    let output = call(&SearchText::new(workspace), json!({"pattern": "x"}));
    assert_eq!(output.text.lines().count(), 201);
    assert_eq!(output.data.unwrap()["complete"], false);
}

#[test]
fn sums_are_told_with_what_is_exact() {
    let calculator = Calculator::new();
    let output = call(&calculator, json!({"expression": "0.1 + 0.2"}));
    assert_eq!((output.text.as_str(), output.data.unwrap()), ("0.3", json!({"value": 0.3, "exact": true})));
    assert_eq!(call(&calculator, json!({"expression": "2^4000"})).data.unwrap(), json!({"value": null, "exact": true}));
    assert_eq!(failure(&calculator, json!({"expression": "1/0"})), "at character 2: division by zero");
}

#[test]
fn code_runs_in_the_sandbox() {
    let double = Double::answering([execution(3, "out\n", "err\n"), execution(0, "", "")]);
    let languages = vec![Language::rust(), Language::python()];
    let execute = CodeExecute::new(double.clone(), "/work", languages).unwrap();
    assert_eq!(execute.spec().permission, Permission::Execute);
    let output = call(&execute, json!({"language": "python", "code": "print('$x;')", "input": "in"}));
    assert_eq!(output.text, "exit code 3\n--- stdout\nout\n--- stderr\nerr\n");
    assert!(output.is_error && output.data.unwrap()["exit"] == json!({"code": 3}));
    assert!(!call(&execute, json!({"language": "rust", "code": "fn main() {}"})).is_error);
    let asked = double.asked();
    assert_eq!((asked[0].program.to_str().unwrap(), asked[0].stdin.as_slice()), ("python3", &b"in"[..]));
    assert_eq!(asked[0].args, ["-B", "-c", "print('$x;')"], "code is one argument, and no shell reads it");
    assert_eq!(asked[1].args[3], "fn main() {}");
    let refused = pollster::block_on(execute.call(json!({"language": "perl", "code": "x"}), &ToolContext::new("k"))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidRequest);
    let refused = pollster::block_on(execute.call(json!({"language": "python", "code": "x"}), &ToolContext::new("l"))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused, "a sandbox that refuses is not the model's to mend");
    assert!(failure(&execute, json!({"language": "python", "code": "a\0b"})).contains("NUL"));
    assert!(CodeExecute::new(double, "/", Vec::new()).is_err());
}

/// Does something where a command would run.
struct Does<F>(F);

impl<F: Fn() + Send + Sync> Runner for Does<F> {
    fn run(&self, _: &Command, _: &Limits) -> jarre_sandbox::Result<Execution> {
        (self.0)();
        Ok(execution(1, "", ""))
    }
}

#[test]
fn code_that_changes_files_is_told_from_code_that_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sub/a.rs");
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(&file, "right").unwrap();
    let changed = |does: Box<dyn Fn() + Send + Sync>, dir: &std::path::Path| {
        let execute = CodeExecute::new(Does(does), dir, vec![Language::shell()]).unwrap();
        call(&execute, json!({"language": "shell", "code": "x"})).data.unwrap().get("changed").cloned()
    };
    let (read, written) = (file.clone(), file.clone());
    assert_eq!(changed(Box::new(move || drop(fs::read(&read).unwrap())), folder.path()), Some(json!(false)));
    // In place, as long as before, and with the old time.
    let same = move || {
        let time = fs::metadata(&written).unwrap().modified().unwrap();
        fs::write(&written, "wrong").unwrap();
        fs::File::options().write(true).open(&written).unwrap().set_modified(time).unwrap();
    };
    assert_eq!(changed(Box::new(same), folder.path()), Some(json!(true)));
    assert_eq!(changed(Box::new(move || fs::remove_file(&file).unwrap()), folder.path()), Some(json!(true)));
    assert_eq!(changed(Box::new(|| ()), &folder.path().join("elsewhere")), None, "what cannot be told is not said");
}

#[test]
fn tests_are_named_by_filters_that_are_no_options() {
    let double = Double::answering([execution(0, GREEN, "")]);
    let tests = TestRun::new(double.clone(), "/", ["cargo", "test", "-q"], TestFormat::Cargo).unwrap();
    for filter in ["--config=x", "-Zx", "a b", "a;b", "", "$(x)"] {
        let refused = pollster::block_on(tests.call(json!({"filter": filter}), &ToolContext::new("k")));
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidRequest, "{filter}");
    }
    call(&tests, json!({"filter": "mod::name"}));
    assert_eq!(double.asked()[0].args, ["test", "-q", "mod::name"]);
}

#[test]
fn another_tool_is_offered_as_retrieval() {
    let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]});
    let inner = FnTool::new(ToolSpec::new("rag_search", "searches", schema, Permission::Network), |arguments, _| {
        Ok(ToolOutput::new(arguments["q"].as_str().unwrap_or_default()))
    });
    let retrieve = Retrieve::over(inner).unwrap();
    assert_eq!((retrieve.spec().name.as_str(), retrieve.spec().permission), ("retrieve", Permission::Network));
    assert_eq!(call(&retrieve, json!({"q": "found"})).text, "found");
    pollster::block_on(contract::tool(&retrieve, &json!({"q": "found"})));
}

#[test]
fn a_toolbox_can_take_secrets_out() {
    let (_folder, workspace) = workspace();
    workspace.write("a", "key=hunter2\n", "test").unwrap();
    let toolbox = Toolbox::new().with(FileRead::new(workspace.clone())).with(FileWrite::new(workspace));
    let read = |toolbox: &Toolbox| call(toolbox.get("file_read").unwrap(), json!({"path": "a"})).text;
    assert!(read(&toolbox).contains("hunter2"), "not unless it is asked for");
    let toolbox = toolbox.redacting(|text| *text = text.replace("hunter2", "[key]"));
    assert_eq!(read(&toolbox), "     1\tkey=[key]\n");
    let output = call(toolbox.get("file_write").unwrap(), json!({"path": "a", "content": "x"}));
    assert!(!output.data.unwrap().to_string().contains("hunter2"), "diffs are output too");
}

#[test]
fn failures_and_names_of_fields_have_no_secrets_either() {
    let spec = |name: &str| ToolSpec::new(name, "d", json!({"type": "object"}), Permission::Read);
    let fails = FnTool::new(spec("fails"), |_, _| {
        let wait = std::time::Duration::from_secs(3);
        let cause = std::io::Error::other("hunter2");
        Err(jarre_core::Error::new(ErrorKind::RateLimited, "hunter2 is not liked").with_retry_after(wait).with_source(cause))
    });
    let names = FnTool::new(spec("names"), |_, _| {
        Ok(ToolOutput::new("").with_data(json!({"list": [{"hunter2": 1, "[key]": 2, "hunter2hunter2": {"a": "hunter2"}}]})))
    });
    let toolbox = Toolbox::new().with(fails).with(names).redacting(|text| *text = text.replace("hunter2", "[key]"));
    let context = ToolContext::new("k");
    let error = pollster::block_on(toolbox.get("fails").unwrap().call(json!({}), &context)).unwrap_err();
    assert_eq!((error.to_string().as_str(), error.kind()), ("[key] is not liked", ErrorKind::RateLimited));
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(3)));
    assert!(!format!("{error:?}").contains("hunter2"), "nor what caused it");
    let data = call(toolbox.get("names").unwrap(), json!({})).data.unwrap();
    assert!(!data.to_string().contains("hunter2"));
    assert_eq!(data["list"][0].as_object().unwrap().len(), 3, "no field is lost: {data}");
}

#[test]
fn side_information_reaches_no_output() {
    let (_folder, workspace) = workspace();
    let context = ToolContext::new("k").with_side("tenant", "tenant-7");
    let retrieve = Retrieve::new("notes", |query, _, context| {
        Ok(vec![Passage::new(query, context.side::<String>("tenant").map(|_| "seen".to_owned())?)])
    });
    for (tool, arguments) in [
        (&retrieve as &dyn Tool, json!({"query": "x"})),
        (&FileWrite::new(workspace.clone()), json!({"path": "a", "content": "x"})),
        (&ListFiles::new(workspace), json!({})),
    ] {
        let output = pollster::block_on(tool.call(arguments, &context)).unwrap();
        assert!(!serde_json::to_string(&output).unwrap().contains("tenant-7"));
    }
}
