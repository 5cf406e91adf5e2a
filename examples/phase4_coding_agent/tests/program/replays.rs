//! `replay` and `export`: runs once more, in another way, and in other forms.

use jarre_agent::{
    Event, Record,
    log::{decode, digest, encode},
};

use crate::runs::place_with_a_run;

/// Records as the log has them.
fn lines(records: &[Record]) -> String {
    records.iter().map(|record| String::from_utf8(encode(record).unwrap()).unwrap() + "\n").collect()
}

/// Lines that were changed, made to fit each other again.
fn chained(text: &str) -> String {
    let mut records: Vec<Record> = text.lines().map(|line| decode(line.as_bytes()).unwrap()).collect();
    for at in 1..records.len() {
        records[at].previous = digest(&encode(&records[at - 1]).unwrap());
    }
    lines(&records)
}

#[test]
fn a_run_comes_to_the_same_again_from_the_store_and_from_a_file() {
    let Some((place, _)) = place_with_a_run() else { return };
    let records = place.records("demo");
    let same = format!("the same, byte for byte: {} records\n", records.len());
    assert_eq!(place.succeed(["replay", "demo"]).stdout, same);
    let file = place.path("demo.log");
    place.succeed(["export", "demo", "--as", "jsonl", "--out", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), lines(&records));
    assert_eq!(place.succeed(["replay", "--file", file.to_str().unwrap()]).stdout, same);

    // A log that breaks off is followed as far as it goes.
    let torn = place.write("torn.log", &lines(&records[..records.len() - 3]));
    place.succeed(["replay", "--file", &torn]);
    // One that was changed does not fit together, or is not what the run comes to.
    let changed = lines(&records).replace("\"intervals.rs\\\"", "\"others.rs\\\"");
    assert_ne!(changed, lines(&records));
    place.run(["replay", "--file", &place.write("changed.log", &changed)]).refused(2, "changed.log, line ");
    let changed = place.run(["replay", "--file", &place.write("changed.log", &chained(&changed))]);
    assert_eq!(changed.code, Some(1), "{changed:?}");
    assert!(changed.stdout.starts_with("another at record ") && changed.stdout.contains("\ngot: "), "{changed:?}");
    place.run(["replay", "--file", &place.write("none.log", "no record\n")]).refused(2, "none.log, line 1");
}

#[test]
fn a_run_becomes_a_page_spans_and_text() {
    let Some((place, _)) = place_with_a_run() else { return };
    let file = place.path("demo.log");
    place.succeed(["export", "demo", "--as", "jsonl", "--out", file.to_str().unwrap()]);
    let page = place.path("demo.html");
    assert_eq!(place.succeed(["export", "demo", "--out", page.to_str().unwrap()]).stdout, "");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("id=\"step-9\"") && page.contains("before.1.max(last)") && !page.contains("<script"), "{page}");
    for form in ["html", "otlp", "text"] {
        let from_store = place.succeed(["export", "demo", "--as", form]).stdout;
        assert_eq!(from_store, place.succeed(["export", "--file", file.to_str().unwrap(), "--as", form]).stdout, "{form}");
    }
    let spans = place.succeed(["export", "demo", "--as", "otlp"]).stdout;
    let spans: serde_json::Value = serde_json::from_str(&spans).unwrap();
    assert_eq!(spans["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"][0]["key"], "gen_ai.operation.name");
}

#[test]
fn another_run_begins_as_a_run_did_and_goes_another_way() {
    let Some((place, _)) = place_with_a_run() else { return };
    let records = place.records("demo");
    // The last thing that the model said is that it is done, with an answer.
    let last = records.iter().rposition(|record| matches!(record.event, Event::ModelAnswered { .. })).unwrap();
    let edit = serde_json::to_string(&records[last].event).unwrap().replace("sorts its intervals first", "is right now");
    let (until, edit) = (last.to_string(), place.write("edit.json", &edit));
    let told = place.succeed(["replay", "demo", "--until", &until, "--edit", &edit, "--to", "second"]).stdout;
    assert!(told.contains(&format!("second begins with {until} records of demo")) && told.contains("`run --resume second`"), "{told}");
    let told = place.succeed(["run", "--resume", "second"]).stdout;
    assert!(told.contains("done: `merge` is right now and keeps"), "{told}");

    assert_eq!(place.records("demo"), records, "the first run stays as it is");
    for run in ["demo", "second"] {
        place.succeed(["replay", run]);
        assert!(place.worked_on(run, "intervals.rs").contains("before.1.max(last)"));
    }
    // What cannot follow begins nothing, and leaves no folder in the way.
    let wrong = place.write("wrong.json", r#"{"type": "remembered"}"#);
    place.run(["replay", "demo", "--until", &until, "--edit", &wrong, "--to", "third"]).refused(2, "`remembered` cannot follow");
    place.run(["replay", "demo", "--until", "0", "--to", "third"]).refused(2, "keep the first record");
    place.run(["replay", "demo", "--until", &until, "--to", "second"]).refused(2, "second");
    let told = place.succeed(["replay", "demo", "--until", "9999", "--to", "third"]).stdout;
    assert!(told.contains(&format!("third begins with {} records", records.len())), "no more than there are: {told}");
}
