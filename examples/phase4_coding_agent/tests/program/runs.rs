//! `run` of the task that comes with the program: its end, what it shows, and that it goes on wherever it was broken off.

use std::{fs, path::PathBuf, sync::OnceLock};

use jarre_agent::{Event, Outcome};

use crate::program::{Place, Running, has_sandbox, line_with};

/// A run that is over, for each test that has one a copy of its own; what the program told of it comes with it.
pub(crate) fn place_with_a_run() -> Option<(Place, &'static str)> {
    static OVER: OnceLock<Over> = OnceLock::new();
    if !has_sandbox() {
        return None;
    }
    let over = OVER.get_or_init(|| {
        let place = Place::new();
        let told = place.succeed(["run"]).stdout;
        let store = fs::read(place.path("agent.db")).unwrap();
        Over { told, store, mended: place.worked_on("demo", "intervals.rs"), folder: place.path("agent.db.work/demo") }
    });
    assert!(over.told.contains(over.folder.to_str().unwrap()), "{}", over.told);
    let place = Place::new();
    fs::write(place.path("agent.db"), &over.store).unwrap();
    place.write("agent.db.work/demo/intervals.rs", &over.mended);
    Some((place, &over.told))
}

struct Over {
    told: String,
    store: Vec<u8>,
    mended: String,
    folder: PathBuf,
}

#[test]
fn the_shipped_task_is_done() {
    let Some((place, told)) = place_with_a_run() else { return };
    for said in ["task: Some tests of `merge`", "\n> test_run", "the analysis is kept for later tasks", "\ndone: `merge` sorts"] {
        assert!(told.contains(said), "{said} in\n{told}");
    }
    let mended = place.worked_on("demo", "intervals.rs");
    assert!(mended.contains("intervals.sort();") && mended.contains("before.1.max(last)"), "{mended}");

    let summary = place.summary("demo");
    assert_eq!((&summary["state"], &summary["outcome"]), (&"ended".into(), &"done".into()), "{summary}");
    assert_eq!((&summary["model"], &summary["records"]), (&"demo".into(), &place.records("demo").len().into()));
    let table = place.succeed(["runs"]).stdout;
    assert!(table.lines().any(|line| line.contains("demo") && line.contains("done")), "{table}");
    let over = place.succeed(["run", "--resume", "demo"]).stdout;
    assert!(over.trim_start().starts_with("done: ") && !over.contains("> "), "what is over is not done again: {over}");
}

#[test]
fn a_run_that_is_killed_goes_on() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    // Calls are written in another way than by default: what goes on has to know it from the log.
    let mut first = Running::start(&mut place.program(["run", "--json", "--codec", "react"]));
    line_with(&mut first.stdout(), r#""name":"test_run"},"key":"#);
    first.signal("KILL");
    assert_eq!(first.wait(), None);
    let summary = place.summary("demo");
    assert_eq!(summary["state"], "running", "{summary}");
    let before = place.records("demo");

    let told = place.succeed(["run", "--resume", "demo", "--json"]).records();
    let all = place.records("demo");
    assert_eq!((&all[..before.len()], &all[before.len()..]), (&before[..], &told[..]), "records come as lines, and are those of the log");
    assert!(matches!(&all[0].event, Event::Started { run, .. } if run == "demo"));
    let begun = all.iter().position(|record| matches!(&record.event, Event::ToolStarted { call, .. } if call.name == "test_run")).unwrap();
    let Event::ToolFinished { output, .. } = &all[begun + 1].event else { panic!("{:?}", all[begun + 1]) };
    assert!(output.data.as_ref().is_some_and(|data| data.get("tests").is_some()), "the tests that were cut off run again: {}", output.text);
    assert!(matches!(&all.last().unwrap().event, Event::Finished { outcome: Outcome::Done { .. } }));
    place.succeed(["replay", "demo"]);
}

#[test]
fn a_run_that_is_interrupted_ends_and_says_how_to_go_on() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    let mut first = Running::start(&mut place.program(["run"]));
    let mut stdout = first.stdout();
    line_with(&mut stdout, "> test_run");
    first.signal("INT");
    let told = line_with(&mut stdout, "ended early: interrupted");
    assert_eq!(told, "ended early: interrupted");
    let advice = line_with(&mut stdout, "replay demo --until");
    assert_eq!(first.wait(), Some(1));

    let commands: Vec<Vec<&str>> = advice.split('`').skip(1).step_by(2).map(|command| command.split(' ').collect()).collect();
    assert_eq!(commands.len(), 2, "{advice}");
    for command in commands {
        place.succeed(command);
    }
    assert_eq!((&place.summary("demo")["outcome"], &place.summary("demo-again")["outcome"]), (&"cancelled".into(), &"done".into()));
    place.succeed(["replay", "demo-again"]);
}

#[test]
fn one_process_at_a_time_has_the_store() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    let mut first = Running::start(&mut place.program(["run"]));
    let mut stdout = first.stdout();
    line_with(&mut stdout, "task: ");
    place.run(["runs"]).refused(2, "agent.db");
    place.run(["run"]).refused(2, "in use");
    first.signal("KILL");
    first.wait();
    place.succeed(["runs"]);
}
