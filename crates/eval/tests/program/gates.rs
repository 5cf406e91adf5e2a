use crate::program::{Bench, recorded};

#[test]
fn a_gate_ends_with_a_code_for_each_decision() {
    // No worse; worse; neither to be told; not the same items.
    for (second, arguments, code, word) in
        [(101, &["--margin", "0.02"][..], 0, "pass"), (60, &[], 100, "fail"), (99, &[], 101, "inconclusive")]
    {
        let bench = Bench::new();
        recorded(&bench, 100, second);
        bench.ok(&["run", "experiment.toml"]);
        let said = bench.run(&[&["gate", "old", "new", "--junit", "gate.xml", "--markdown", "gate.md"], arguments].concat());
        assert_eq!((said.code, said.out.lines().next().map(|line| line.ends_with(word))), (code, Some(true)), "{said:?}");
        assert!(bench.read("gate.xml").starts_with("<?xml") && bench.read("gate.md").contains(word));
    }
}

#[test]
fn runs_over_other_items_are_incomparable() {
    let bench = Bench::new();
    recorded(&bench, 100, 140);
    bench.ok(&["run", "experiment.toml", "--model", "old"]);
    bench.ok(&["run", "experiment.toml", "--model", "new", "--sample", "50"]);
    let said = bench.run(&["gate", "old", "new"]);
    assert!(said.code == 102 && said.out.contains("dataset differs"), "{said:?}");
    let said = bench.run(&["compare", "old", "new"]);
    assert!(said.code == 102 && said.err.contains("--force"), "{said:?}");
    assert!(bench.ok(&["compare", "old", "new", "--force"]).contains("150 items only in the baseline"));
}

#[test]
fn a_policy_stands_in_a_file() {
    let bench = Bench::new();
    recorded(&bench, 100, 60);
    bench.ok(&["run", "experiment.toml"]);
    bench.write("policy.toml", "metric = \"exact_match\"\nmargin = 0.5\nslice_margin = 0.01\n");
    let said = bench.run(&["--json", "gate", "old", "new", "--policy", "policy.toml"]);
    let gate: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, gate["decision"].as_str()), (100, Some("fail")), "{said:?}");
    assert!(gate["checks"].as_array().unwrap().iter().any(|check| check["name"] == "quality" && check["decision"] == "pass"));
    bench.write("policy.toml", "margni = 0.5\n");
    assert!(bench.run(&["gate", "old", "new", "--policy", "policy.toml"]).err.contains("margni"));
}

#[test]
fn no_gate_rests_on_a_judge_that_nobody_held_against_labels() {
    let bench = Bench::new();
    recorded(&bench, 100, 140);
    let judged = bench
        .read("experiment.toml")
        .replace("[\"exact_match\"]", "[{ name = \"judge/fair[llm:m]\", recorded = { old = \"id\", new = \"id\" } }]");
    bench.write("experiment.toml", &judged.replace("dataset = {", "dataset = { id = \"question\", "));
    let flags: Vec<String> = bench
        .read("answers.csv")
        .lines()
        .enumerate()
        .map(|(row, line)| if row == 0 { line.to_owned() } else { line.replacen(&format!("q{},", row - 1), "1,", 1) })
        .collect();
    bench.write("answers.csv", &flags.join("\n"));
    bench.ok(&["run", "experiment.toml"]);
    let said = bench.run(&["gate", "old", "new"]);
    assert!(said.code == 102 && said.out.contains("was never held against labels"), "{said:?}");
}
