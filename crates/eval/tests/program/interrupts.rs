#![cfg(unix)]

use std::{
    process::{Command, Stdio},
    sync::atomic::Ordering,
    thread,
    time::{Duration, Instant},
};

use crate::{
    endpoint::{Endpoint, experiment},
    program::Bench,
};

#[test]
fn ctrl_c_leaves_a_run_that_goes_on() {
    let (bench, endpoint) = (Bench::new(), Endpoint::start(Duration::from_millis(30)));
    experiment(&bench, &endpoint, 60);
    let mut command = bench.command(&["run", "experiment.toml"]);
    let child = command.env("EVAL_TEST_KEY", "s3cret-key").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while endpoint.asked.load(Ordering::SeqCst) < 10 {
        assert!(Instant::now() < deadline, "nothing is asked");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let before = endpoint.asked.load(Ordering::SeqCst);
    assert!(before < 60, "it went on to the end");
    let again = bench.command(&["run", "experiment.toml"]).env("EVAL_TEST_KEY", "s3cret-key").output().unwrap();
    assert!(again.status.success());
    // The one that was refused came twice; nothing else did.
    assert_eq!(endpoint.asked.load(Ordering::SeqCst), 61);
    assert_eq!(bench.json(&["runs"]).len(), 1, "the same run went on");
}
