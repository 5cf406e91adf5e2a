use serde_json::json;

use crate::program::{Bench, is_there, recorded};

#[test]
fn an_experiment_is_run_listed_compared_and_exported() {
    let bench = Bench::new();
    recorded(&bench, 100, 140);
    let told = bench.ok(&["run", "experiment.toml", "--html", "both.html"]);
    assert!(told.contains("old") && told.contains("0.5000") && told.contains("0.7000"), "{told}");
    assert!(is_there(&bench.path("both.html")));

    let rows = bench.json(&["runs", "--columns", "metrics.exact_match,params.model", "--sort", "name"]);
    let names: Vec<_> =
        rows.iter().map(|row| (row["name"].clone(), row["metrics"]["exact_match"].clone(), row["status"].clone())).collect();
    assert_eq!(names, [(json!("new"), json!(0.7), json!("done")), (json!("old"), json!(0.5), json!("done"))]);
    let good = bench.json(&["runs", "--filter", "metrics.exact_match > 0.6 and params.model = 'new'"]);
    assert_eq!((good.len(), good[0]["name"].as_str()), (1, Some("new")));

    let compared = bench.ok(&["compare", "old", "new", "--markdown", "compared.md", "--html", "compared.html"]);
    assert!(compared.contains("better by 20.0 points") && compared.contains("strata differ"), "{compared}");
    assert!(bench.read("compared.md").contains("| difference"));
    let json = &bench.json(&["compare", "old", "new", "--units", "items"])[0];
    assert_eq!(
        (json["comparison"]["binary"]["table"]["candidate_only"].clone(), json["comparison"]["left_out"]["different"].clone()),
        (json!(40), json!(0))
    );

    bench.ok(&["export", "csv", "old", "new", "--out", "answers-out.csv"]);
    assert_eq!(bench.read("answers-out.csv").lines().count(), 1 + 400);
    bench.ok(&["export", "json", "new", "--out", "new.json"]);
    let exported: serde_json::Value = serde_json::from_str(&bench.read("new.json")).unwrap();
    assert_eq!(exported["runs"][0]["samples"].as_array().map(Vec::len), Some(200));
    bench.ok(&["export", "html", "old", "new", "--out", "report.html"]);
    assert!(bench.read("report.html").contains("Content-Security-Policy"));
}

#[test]
fn the_same_again_asks_nothing_and_fresh_makes_other_runs() {
    let bench = Bench::new();
    recorded(&bench, 100, 140);
    bench.ok(&["run", "experiment.toml", "--model", "old"]);
    bench.ok(&["run", "experiment.toml", "--model", "old", "--fresh"]);
    let said = bench.run(&["show", "old"]);
    assert!(said.code == 1 && said.err.contains("can be 2 runs"), "{said:?}");
    assert!(bench.ok(&["show", "old@latest", "--answers", "q7"]).contains("what is 7, really?"));
    assert_eq!(bench.ok(&["watch", "old@latest"]).lines().last().map(|line| line.starts_with("done 200 answers")), Some(true));
}

#[test]
fn runs_go_to_another_file_and_stay_what_they_are() {
    let bench = Bench::new();
    recorded(&bench, 100, 140);
    bench.ok(&["run", "experiment.toml"]);
    bench.ok(&["export", "bundle", "old", "new", "--out", "bundle.jsonl"]);
    let refused = bench.run(&["import", "bundle.jsonl"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    bench.ok(&["--db", "other.db", "import", "bundle.jsonl"]);
    let compared = |db: &str| bench.json(&["--db", db, "compare", "old", "new"])[0]["comparison"].clone();
    assert_eq!(compared("other.db"), compared("runs.db"));
    bench.ok(&["import", "bundle.jsonl", "--rename"]);
    assert_eq!(bench.json(&["runs"]).len(), 4);
}

#[test]
fn answers_are_scored_anew_without_being_asked_for() {
    let bench = Bench::new();
    recorded(&bench, 100, 140);
    bench.ok(&["run", "experiment.toml"]);
    let lenient = bench.read("experiment.toml").replace("[\"exact_match\"]", "[\"exact_match\", \"contains\"]");
    bench.write("lenient.toml", &lenient);
    let told = bench.ok(&["rescore", "new", "--experiment", "lenient.toml", "--reason", "to see"]);
    assert!(told.contains("scored 200 answers") && told.contains("contains"), "{told}");
}

#[test]
fn cells_that_a_spreadsheet_would_run_are_quoted() {
    let bench = Bench::new();
    bench.write("answers.csv", "id,question,answer,said\na,q,1,\"=HYPERLINK(\"\"http://x\"\")\"\nb,q,1,@SUM(1)\n");
    bench.write(
        "experiment.toml",
        "name = \"hostile\"\nmetrics = [\"exact_match\"]\ndataset = { path = \"answers.csv\", target = \"answer\" }\nprompt = { user = \"{{question}}\" }\nmodels = [{ name = \"m\", recorded = \"said\" }]\n",
    );
    bench.ok(&["run", "experiment.toml"]);
    let csv = bench.ok(&["export", "csv", "m"]);
    assert!(csv.contains("'=HYPERLINK") && csv.contains("'@SUM"), "{csv}");
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let bench = Bench::new();
    recorded(&bench, 1, 2);
    let told = |arguments: &[&str]| {
        let said = bench.run(arguments);
        assert_ne!(said.code, 0, "{arguments:?}");
        said.err
    };
    assert!(told(&["run", "nowhere.toml"]).contains("nowhere.toml"));
    assert!(told(&["compare", "a", "b"]).contains("there is no run `a`; `jarre-eval runs` lists them"));
    assert!(told(&["runs", "--filter", "metrics.x >"]).contains("the filter cannot be read"));
    assert!(told(&["runs", "--sort", "colour"]).contains("not by `colour`"));
    assert!(told(&["run", "experiment.toml", "--model", "huge"]).contains("has no model `huge`"));
    bench.write("answers.csv", "id,question,answer,topic,old,new\na,q,1,t,1,1\na,q,1,t,1,1\n");
    assert!(told(&["run", "experiment.toml"]).contains("line 3: the id `a` stands on line 2 already"));
    bench.write("runs.db", "no database at all, but long enough to look like something that somebody wants to keep");
    assert!(told(&["runs"]).contains("not a sound tracking database"));
    assert!(bench.read("runs.db").starts_with("no database"), "it was left as it is");
}
