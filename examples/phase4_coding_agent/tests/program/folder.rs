//! `run --repo`: a task about a folder of one's own, of which the agent has a copy.

use std::{collections::BTreeMap, fs, os::unix::fs::symlink, path::Path};

use serde_json::json;

use crate::{
    models::{call, edit},
    program::{Place, has_sandbox},
    server::{Server, answer},
};

/// Every file under a folder, without the store's.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && !name.starts_with("agent.db") {
            found.extend(files(&path).into_iter().map(|(inner, text)| (format!("{name}/{inner}"), text)));
        } else if path.is_file() && !name.starts_with("agent.db") {
            found.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    found
}

#[test]
fn the_agent_works_on_a_copy_and_the_folder_stays_as_it_is() {
    if !has_sandbox() {
        return;
    }
    // The store lies in the folder that the run is about, as it does where one works in a folder of one's own.
    let place = Place::new();
    place.write("greet.sh", "echo helo\n");
    place.write("check.sh", "test \"$(sh greet.sh)\" = hello\n");
    place.write("docs/how.md", "Say hello.\n");
    place.write("task.md", "greet.sh has a mistake. Mend it.\n");
    place.write("secrets/key", "a word for nobody\n");
    place.write("policy.json", r#"{"rules": [{"verdict": "deny", "path": "secrets/**", "class": "read"}], "otherwise": "allow"}"#);
    place.write(".git/HEAD", "ref: refs/heads/main\n");
    place.write("target/debug/greet", "built\n");
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::write(&outside, "of somebody else\n").unwrap();
    symlink(outside.path(), place.path("link")).unwrap();
    let before = files(&place.path(""));

    let server = Server::start(|number, _| match number {
        0 => answer("id", &["Mend the word, run the check."]),
        1 => call(number, "file_write", &json!({"path": "../../greet.sh", "content": "echo hello\n"})),
        2 => edit(number, "greet.sh", "helo", "hello"),
        3 => call(number, "test_run", &json!({})),
        _ => call(number, "finish", &json!({"answer": "the word is right"})),
    });
    let named = ["--repo", ".", "--url", &server.url, "--model-name", "m", "--name", "word", "--test", "sh", "check.sh"];
    let told = place.succeed([&["run", "--task", "task.md", "--policy", "policy.json"], &named[..]].concat()).stdout;
    assert!(told.contains("task: greet.sh has a mistake. Mend it.") && told.contains("done: the word is right"), "{told}");

    assert_eq!(files(&place.path("")), before, "the folder itself is as it was");
    assert_eq!(fs::read_to_string(outside.path()).unwrap(), "of somebody else\n");
    let expected =
        [("check.sh", None), ("docs/how.md", None), ("greet.sh", Some("echo hello\n")), ("policy.json", None), ("task.md", None)]
            .map(|(name, text)| (name.to_owned(), text.map_or_else(|| before[name].clone(), str::to_owned)));
    assert_eq!(files(&place.path("agent.db.work/word")), expected.into(), "what is built, kept, linked elsewhere or denied is not copied");
    let requests = server.requests();
    assert!(requests[0].body["messages"].to_string().contains("greet.sh has a mistake"));
    let refused = requests[2].body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned();
    assert!(refused.contains("../../greet.sh"), "a path that leads out is refused: {refused}");
    place.succeed(["replay", "word"]);

    let again = place.run([&["run", "--task", "task.md"], &named[..]].concat());
    again.refused(2, "there is a run `word` already");
}
