//! `exec`: one command in the sandbox.

use std::{fs, process::Command};

use jarre_sandbox::{Execution, Exit, Layer, LimitHit, Sandbox, SandboxConfig};

use crate::program::{Ended, Place, Running, end, has_sandbox, line_with, program};

/// A command in the folder `work` of a place.
fn exec(place: &Place, options: &[&str], command: &[&str]) -> Command {
    fs::create_dir_all(place.path("work")).unwrap();
    open(place);
    let mut exec = program();
    exec.arg("exec").arg("--dir").arg(place.path("work")).args(options).arg("--").args(command);
    exec
}

/// The user that commands run as has to be able to write there.
fn open(place: &Place) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(place.path("work"), fs::Permissions::from_mode(0o777)).unwrap();
}

fn shell(place: &Place, options: &[&str], script: &str) -> Ended {
    end(&mut exec(place, options, &["sh", "-c", script]))
}

/// What `--json` says of a script.
fn execution(place: &Place, options: &[&str], script: &str) -> (Option<i32>, Execution) {
    let ended = shell(place, &[options, &["--json"]].concat(), script);
    let [line] = ended.stdout.lines().collect::<Vec<_>>()[..] else { panic!("{ended:?}") };
    (ended.code, serde_json::from_str(line).unwrap())
}

#[test]
fn what_a_command_writes_comes_through_and_how_it_ends() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    let ended = shell(&place, &[], "echo out; echo err >&2");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "out\n", "err\n"));
    let ended = shell(&place, &[], "echo out; exit 7");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(1), "out\n", "exit code 7\n"));
    let (code, execution) = execution(&place, &[], "echo out; echo err >&2; kill -9 $$");
    assert_eq!((code, execution.exit), (Some(1), Exit::Signal(9)));
    assert_eq!((execution.stdout.text.as_str(), execution.stderr.text.as_str()), ("out\n", "err\n"));
}

#[test]
fn the_limits_are_those_of_the_command_line_and_met_ones_are_told() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    for (options, script, hit) in [
        (["--wall", "0.3"], "sleep 60", LimitHit::Wall),
        (["--memory", "64"], "head -c 1000000000 /dev/zero | tail -c 1000000000 | wc -c", LimitHit::Memory),
        (["--output", "1"], "head -c 100000 /dev/zero | tr '\\0' x", LimitHit::Output),
        (["--disk", "1"], "head -c 10000000 /dev/zero > much", LimitHit::FileSize),
    ] {
        let (_, execution) = execution(&place, &options, script);
        assert!(execution.limits_hit.contains(&hit), "{script}: {execution:?}");
    }
    let told = shell(&place, &["--wall", "0.3"], "sleep 60");
    assert!(told.code == Some(1) && told.stderr.contains("limit met: time"), "{told:?}");
}

#[test]
fn every_layer_stands_around_a_command_and_what_is_outside_stays_there() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    let secret = place.write("secret", "a word for nobody\n");
    let script = format!("cat {secret}; env; cat /etc/shadow; echo more > /etc/here; echo inside");
    let mut command = exec(&place, &["--json"], &["sh", "-c", &script]);
    let ended = end(command.env("A_KEY", "a word for nobody"));
    assert!(ended.stdout.contains("inside") && !ended.stdout.contains("a word for nobody") && !ended.stdout.contains("root:"), "{ended:?}");
    let execution: Execution = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(execution.protection, *Sandbox::new(SandboxConfig::default()).unwrap().protection());
    assert_eq!(execution.protection.in_force.len(), Layer::ALL.len(), "{:?}", execution.protection);
}

#[test]
fn a_folder_is_written_and_a_copy_of_it_is_not() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    place.write("work/here", "as it was\n");
    let script = "cat here; rm -f here; echo made > made";
    assert_eq!(shell(&place, &["--copy"], script).stdout, "as it was\n");
    assert!(place.path("work/here").exists() && !place.path("work/made").exists());
    assert_eq!(shell(&place, &[], script).stdout, "as it was\n");
    assert_eq!(fs::read_to_string(place.path("work/made")).unwrap(), "made\n");
}

#[test]
fn an_interrupt_ends_the_command() {
    if !has_sandbox() {
        return;
    }
    let place = Place::new();
    let mut running = Running::start(&mut exec(&place, &[], &["sh", "-c", "echo begun > begun; sleep 600"]));
    // Nobody hears of what a command writes before it has ended, but for what it does to files.
    while !place.path("work/begun").exists() {
        assert!(running.child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    running.signal("INT");
    line_with(&mut running.stderr(), "limit met: cancelled");
    assert_eq!(running.wait(), Some(1));
}

#[test]
fn what_cannot_be_run_is_refused_and_named() {
    let place = Place::new();
    let nowhere = end(program().args(["exec", "--dir", "/no/such/folder", "--", "true"]));
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    end(program().args(["exec", "--dir", ".", "--allow-missing", "armour", "--", "true"])).refused(2, "there are: unprivileged");
    end(program().args(["exec", "--dir", ".", "--wall=-1", "--", "true"])).refused(2, "--wall");
    end(program().args(["exec", "--dir", "."])).refused(2, "<CMD>");
    if has_sandbox() {
        nowhere.refused(2, "/no/such/folder");
        end(&mut exec(&place, &[], &["no-such-program"])).refused(2, "no-such-program");
    }
}
