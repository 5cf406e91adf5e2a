//! Kill -9 at any instant: the newest checkpoint is whole, and none that was reported as saved is lost.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use jarre_transformer::train::CheckpointStore;

use crate::fixture::{assert_content, large, open, step_of, steps_in};

const DIR: &str = "JARRE_TEST_CHECKPOINT_DIR";
const KILLS: u64 = 30;
const KEEP_LAST: usize = 2;

/// Resumes and saves one checkpoint after the other until it is killed.
#[test]
#[ignore = "a part of another test"]
#[expect(clippy::disallowed_methods, reason = "how the parent process tells a part its directory")]
fn keep_saving() {
    let Some(dir) = env::var_os(DIR).map(PathBuf::from) else { return };
    let mut store = open(&dir, KEEP_LAST);
    let resumed = step_of(&store.latest().unwrap()).unwrap_or(0);
    for step in resumed + 1.. {
        let checkpoint = large(step);
        store.save(&if step.is_multiple_of(5) { checkpoint.marked_best() } else { checkpoint }).unwrap();
        println!("saved {step}");
    }
}

#[test]
fn a_training_that_is_killed_never_loses_a_saved_step_and_leaves_a_whole_one() {
    let dir = tempfile::tempdir().unwrap();
    let (mut newest, mut torn) = (0, 0);
    for kill in 0..KILLS {
        let reported = kill_one(dir.path(), kill);
        let found = CheckpointStore::latest_in(dir.path()).unwrap();
        assert!(found.skipped.iter().all(|skipped| skipped.path.extension().is_some_and(|end| end == "tmp")), "{:?}", found.skipped);
        torn += found.skipped.len();
        let step = step_of(&found).unwrap_or(0);
        assert!(step >= newest.max(reported), "step {step} after {newest}, and {reported} was reported");
        newest = step;
    }
    println!("{KILLS} kills, {torn} of them within a save or a removal; step {newest}");
    assert!(newest >= KILLS / 2 && torn > 0, "step {newest}, {torn} torn");
    let best = CheckpointStore::best_in(dir.path()).unwrap().checkpoint.unwrap();
    assert_eq!(assert_content(&best), newest / 5 * 5);
    let mut store = open(dir.path(), KEEP_LAST);
    store.save(&large(newest + 1)).unwrap();
    let kept = [best.step(), newest, newest + 1].map(|step| format!("step-{step}"));
    assert!(steps_in(dir.path()).iter().all(|name| kept.contains(name)), "{:?}", steps_in(dir.path()));
}

/// Starts a part and kills it, every other one only after its first save; the last step that it reported.
fn kill_one(dir: &Path, kill: u64) -> u64 {
    let mut part = start(dir);
    let mut output = BufReader::new(part.stdout.take().unwrap());
    let mut reported = String::new();
    while kill.is_multiple_of(2) && !reported.contains("saved") {
        assert!(output.read_line(&mut reported).unwrap() > 0, "the part ended by itself");
    }
    // Spread over the time of several saves, in steps that no period of theirs follows.
    thread::sleep(Duration::from_micros(kill * 7_919 % 100_000));
    part.kill().unwrap();
    part.wait().unwrap();
    output.read_to_string(&mut reported).unwrap();
    let finished = reported.rsplit_once('\n').map_or("", |(finished, _)| finished);
    finished.rsplit_once("saved ").map_or(0, |(_, step)| step.parse().unwrap())
}

fn start(dir: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["crash::keep_saving", "--exact", "--ignored", "--nocapture"]).env(DIR, dir);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}
