//! The built program, as a person runs it. Cargo does not build it for these tests:
//! `cargo build -p phase1_kv_store --features cluster --example phase1_kv_store` does.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

/// Cargo names the binary of an example to no test; it lies beside the folder that this test was started from.
fn binary() -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let binary = profile.join("examples").join("phase1_kv_store").with_extension(env::consts::EXE_EXTENSION);
    assert!(binary.is_file(), "{} is not built: see the head of this file", binary.display());
    binary
}

fn run(args: &[&str]) -> Output {
    Command::new(binary()).args(args).stdin(Stdio::null()).output().unwrap()
}

fn json(args: &[&str]) -> Value {
    let output = run(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn without_arguments_it_shows_the_store_and_every_way_to_copy_it() {
    let text = String::from_utf8(run(&[]).stdout).unwrap();
    let golden = [include_str!("../../split_brain/golden_naive.txt"), include_str!("../../split_brain/golden_async_term.txt")];
    assert!(golden.iter().all(|part| text.contains(part)) && text.contains("\nraft - "), "{text}");
    for step in ["history", "transaction", "lease", "watch", "session", "snapshot", "compaction", "opened again"] {
        assert!(text.lines().any(|line| line.starts_with(step)), "{step} is missing in\n{text}");
    }
}

#[test]
fn a_tour_does_not_begin_in_a_file_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.kv");
    let path = path.to_str().unwrap();
    assert!(run(&["tour", "--path", path]).status.success());
    let again = run(&["tour", "--path", path]);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists"));
}

#[test]
fn a_page_and_json_tell_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("split.html");
    let reports = json(&["demo", "split-brain", "--mode", "naive", "--seed", "3", "--json", "--html", page.to_str().unwrap()]);
    let lost = reports[0]["lost"].as_array().unwrap().len();
    assert!(lost > 0 && reports[0]["verdict"] == "illegal");
    let html = std::fs::read_to_string(page).unwrap();
    assert!(html.contains(&format!("{lost} acknowledged writes were lost")));
}

#[test]
fn the_other_demonstrations_have_a_row_for_each_cell() {
    let failover = json(&["demo", "failover", "--mode", "async-term", "--kills", "3", "--json"]);
    assert_eq!(failover[0]["kills"].as_array().unwrap().len(), 3);
    let rows = json(&["demo", "trade-offs", "--mode", "naive", "--json"]);
    assert_eq!(rows.as_array().unwrap().len(), 18);
    assert_eq!(run(&["demo", "failover", "--kills", "0"]).status.code(), Some(2));
}

#[test]
fn a_prompt_takes_lines_until_they_end() {
    let mut child =
        Command::new(binary()).args(["cluster", "--mode", "async-term"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"put A x\nnonsense\nget B x stale\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(text.contains("1.1: written") && text.contains("error: `nonsense` is no command"), "{text}");
}

/// Signal 9 and `SIGSTOP`, as real as they are.
#[cfg(unix)]
#[test]
fn processes_are_killed_and_stopped_and_lose_nothing() {
    let reports = json(&["demo", "failover", "--mode", "raft-processes", "--kills", "3", "--json"]);
    let report = &reports[0];
    assert_eq!((report["lost"].as_array().unwrap().len(), &report["verdict"]), (0, &Value::from("linearizable")));
    assert_eq!(report["two_of_one_term"], false);
    assert!(report["kills"].as_array().unwrap().iter().all(|kill| kill["gap"].is_u64()), "somebody led again each time");
    let mut child =
        Command::new(binary()).args(["cluster", "--mode", "raft-processes"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = b"put A x\npause A\npause B\nput C x\nresume A\nresume B\nwait 2500\nput C x\n";
    child.stdin.take().unwrap().write_all(lines).unwrap();
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let puts: Vec<&str> = text.lines().filter(|line| line.contains(".1: ")).collect();
    assert_eq!(puts.len(), 3, "{text}");
    assert!(
        puts[0].contains("written") && !puts[1].contains("written") && puts[2].contains("written"),
        "one of three is no quorum:\n{text}"
    );
}
