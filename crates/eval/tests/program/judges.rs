use std::{fmt::Write, time::Duration};

use crate::{
    endpoint::Endpoint,
    program::{Bench, Said},
};

/// Answers of two variants, half of which call themselves good, and a judge at the endpoint.
fn experiment(bench: &Bench, endpoint: &Endpoint) {
    let mut items = String::new();
    for item in 0..120 {
        let kind = if item % 2 == 0 { "a good one" } else { "a bad one" };
        writeln!(items, "{{\"id\": \"i{item}\", \"question\": \"q{item}\", \"old\": \"{kind}\", \"new\": \"{kind}\"}}").unwrap();
    }
    bench.write("items.jsonl", &items);
    let url = &endpoint.url;
    bench.write(
        "experiment.toml",
        &format!(
            r#"
            name = "judged"
            dataset = {{ path = "items.jsonl" }}
            prompt = {{ user = "{{{{question}}}}" }}
            models = [{{ name = "old", recorded = "old" }}, {{ name = "new", recorded = "new" }}]
            [[judges]]
            name = "good"
            criterion = "Is the answer a good one?"
            model = {{ name = "m", base_url = "{url}", api_key_env = "EVAL_TEST_KEY" }}
            "#
        ),
    );
}

fn labels(bench: &Bench, wrong: usize) {
    let mut labels = String::new();
    for item in 0..120 {
        let kind = if item % 2 == 0 { "a good one" } else { "a bad one" };
        let label = u8::from((item % 2 == 0) != (item < wrong));
        writeln!(labels, "{{\"question\": \"q{item}\", \"answer\": \"{kind}\", \"label\": {label}}}").unwrap();
    }
    bench.write("labels.jsonl", &labels);
}

fn run(bench: &Bench, arguments: &[&str]) -> Said {
    crate::program::said(&bench.command(arguments).env("EVAL_TEST_KEY", "s3cret-key").output().unwrap())
}

#[test]
fn a_gate_rests_on_a_judge_that_agrees_with_people_as_it_is() {
    let (bench, endpoint) = (Bench::new(), Endpoint::start(Duration::ZERO));
    experiment(&bench, &endpoint);
    let told = run(&bench, &["run", "experiment.toml"]);
    assert!(told.code == 0 && told.out.contains("judge/good"), "{told:?}");
    let gate = |bench: &Bench| run(bench, &["gate", "old", "new", "--margin", "0.05"]);
    assert!(gate(&bench).code == 102 && gate(&bench).out.contains("never held against labels"), "{:?}", gate(&bench));

    labels(&bench, 4);
    let calibrated = run(&bench, &["calibrate", "experiment.toml", "--labels", "labels.jsonl"]);
    assert!(
        calibrated.code == 0 && calibrated.out.contains("on 120 labels") && calibrated.out.contains("the judge is calibrated"),
        "{calibrated:?}"
    );
    assert_eq!(gate(&bench).code, 0, "{:?}", gate(&bench));
    bench.ok(&["export", "html", "old", "new", "--out", "report.html"]);
    assert!(bench.read("report.html").contains("Judges"));

    labels(&bench, 50);
    let weak = run(&bench, &["calibrate", "experiment.toml", "--labels", "labels.jsonl"]);
    assert!(weak.out.contains("the judge must not decide"), "{weak:?}");
    assert_eq!(gate(&bench).code, 102);

    labels(&bench, 4);
    let other = bench.read("experiment.toml").replace("a good one?", "a very good one?");
    bench.write("other.toml", &other);
    assert_eq!(run(&bench, &["calibrate", "other.toml", "--labels", "labels.jsonl"]).code, 0);
    assert!(gate(&bench).code == 102, "a calibration of another prompt is none of this judge");
}
