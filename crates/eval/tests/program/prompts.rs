use std::{io::Write, process::Stdio};

use serde_json::json;

use crate::program::{Bench, recorded};

#[test]
fn prompts_have_versions_and_an_experiment_names_one() {
    let bench = Bench::new();
    recorded(&bench, 100, 140);
    bench.write("first.txt", "{{question}}\n");
    bench.write("second.txt", "{{question}}\nBe brief.\n");
    bench.ok(&["prompts", "add", "ask", "first.txt", "--message", "as it came"]);
    bench.ok(&["prompts", "add", "ask", "second.txt", "--message", "shorter"]);
    bench.ok(&["prompts", "add", "ask", "second.txt", "--message", "the same again"]);
    bench.ok(&["prompts", "alias", "ask", "production", "1"]);
    let versions = bench.json(&["prompts", "list", "ask"]);
    assert_eq!((versions.len(), versions[0]["author"].as_str()), (2, Some("ann")));
    assert_eq!(bench.ok(&["prompts", "show", "ask@production"]), "{{question}}\n");
    assert!(bench.ok(&["prompts", "diff", "ask", "1", "2"]).contains("+Be brief."));
    let registered = bench.read("experiment.toml").replace("user = \"{{question}}\"", "registered = \"ask@production\"");
    bench.write("experiment.toml", &registered);
    bench.ok(&["run", "experiment.toml", "--model", "old"]);
    assert!(bench.ok(&["show", "old", "--answers", "q3"]).contains("what is 3, really?"));
}

#[test]
fn what_people_say_of_answers_becomes_a_dataset() {
    let bench = Bench::new();
    recorded(&bench, 190, 195);
    bench.ok(&["run", "experiment.toml"]);
    bench.ok(&["feedback", "give", "new", "q1", "--thumb", "down", "--score", "exact_match=0", "--text", "too short"]);
    assert!(bench.ok(&["feedback", "on", "new", "q1"]).contains("ann: bad exact_match=0 too short"));
    assert_eq!(bench.json(&["show", "new"])[0]["metrics"]["exact_match"]["mean"], json!(194.0 / 200.0));
    bench.ok(&["feedback", "clear", "1"]);
    assert_eq!(bench.json(&["show", "new"])[0]["metrics"]["exact_match"]["mean"], json!(195.0 / 200.0));

    assert!(bench.ok(&["feedback", "enqueue", "doubts", "new", "--failures-of", "exact_match"]).starts_with("5 answers"));
    let mut review = bench.command(&["feedback", "review", "doubts"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    review.stdin.take().unwrap().write_all(b"+\n= right\nskip\nquit\n").unwrap();
    assert!(review.wait_with_output().unwrap().status.success());
    let progress = &bench.json(&["feedback", "progress", "doubts"])[0];
    assert_eq!((progress["open"].as_u64(), progress["done"].as_u64(), progress["skipped"].as_u64()), (Some(2), Some(2), Some(1)));
    assert_eq!(bench.ok(&["feedback", "to-dataset", "doubts", "checked"]).lines().count(), 2);
    let pairs = bench.ok(&["feedback", "pairs", "doubts"]);
    let pair: serde_json::Value = serde_json::from_str(pairs.lines().next().unwrap()).unwrap();
    assert_eq!((pair["chosen"].as_str(), pair["rejected"].as_str()), (Some("right"), Some("wrong")));
}
