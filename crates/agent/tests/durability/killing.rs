use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use jarre_agent::Outcome;
use pollster::block_on;

use crate::script::{Bench, Place, RUN, assert_done, folder, nowhere};

const FOLDER: &str = "JARRE_AGENT_KILL_FOLDER";
const PLACE: &str = "JARRE_AGENT_KILL_PLACE";
const HERE: &str = "stopped here";

/// Not a test by itself: the process that the others start and kill.
#[test]
fn child() {
    let (Ok(folder), Ok(place)) = (env::var(FOLDER), env::var(PLACE)) else { return };
    let stop = move |reached: Place| {
        if format!("{reached:?}") == place {
            let mut out = std::io::stdout();
            writeln!(out, "{HERE}").and_then(|()| out.flush()).unwrap();
            loop {
                thread::park();
            }
        }
    };
    Bench::open(Path::new(&folder), Arc::new(stop)).drive();
}

/// Starts a process that drives the run, and kills it (`SIGKILL`) at `place`. `false` where it ended without coming by.
fn kill_at(folder: &Path, place: Place) -> bool {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "killing::child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(PLACE, format!("{place:?}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let stopped = lines.any(|line| line.ends_with(HERE));
    if stopped {
        child.kill().unwrap();
    }
    assert_eq!(child.wait().unwrap().success(), !stopped);
    stopped
}

/// The log of the run that nobody kills.
fn undisturbed() -> String {
    let folder = folder();
    let bench = Bench::open(folder.path(), nowhere());
    let run = bench.drive();
    assert_done(&bench, &run);
    bench.lines(RUN)
}

#[test]
fn killed_after_every_record_the_log_is_the_same() {
    let (expected, folder) = (undisturbed(), folder());
    let records = expected.lines().count() as u64;
    let kills = (0..records).filter(|&seq| kill_at(folder.path(), Place::After(seq))).count() as u64;
    assert_eq!(kills, records, "each process appends one record and is killed");
    let bench = Bench::open(folder.path(), nowhere());
    assert_done(&bench, &bench.drive());
    assert_eq!(bench.lines(RUN), expected);
}

#[test]
fn killed_between_every_effect_and_its_record_the_log_is_the_same() {
    let (expected, folder) = (undisturbed(), folder());
    let records = expected.lines().count() as u64;
    let kills = (0..records).filter(|&seq| kill_at(folder.path(), Place::Before(seq))).count() as u64;
    assert_eq!(kills, records);
    let bench = Bench::open(folder.path(), nowhere());
    assert_done(&bench, &bench.drive());
    assert_eq!(bench.lines(RUN), expected);
}

#[test]
fn killed_inside_a_tool_that_may_repeat_the_log_is_the_same() {
    let (expected, folder) = (undisturbed(), folder());
    assert!(kill_at(folder.path(), Place::Inside("file_write")));
    assert!(kill_at(folder.path(), Place::Inside("test_run")));
    let bench = Bench::open(folder.path(), nowhere());
    assert_done(&bench, &bench.drive());
    assert_eq!(bench.lines(RUN), expected);
}

#[test]
fn killed_inside_a_tool_that_must_not_repeat_the_model_is_told() {
    let folder = folder();
    assert!(kill_at(folder.path(), Place::Inside("note")));
    assert_eq!(fs::read_to_string(folder.path().join("notes")).unwrap(), "first\n");
    let bench = Bench::open(folder.path(), nowhere());
    let run = bench.drive();
    assert_done(&bench, &run);
    assert!(bench.lines(RUN).contains("begun before and cut off"), "it does not say that it was done");
    assert!(matches!(run.outcome(), Some(Outcome::Done { .. })));
    assert!(block_on(bench.log.verify(RUN)).is_ok());
}
