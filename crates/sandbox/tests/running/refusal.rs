use std::process::Command as Plain;

use jarre_sandbox::{Cancel, Command, Error, Layer, SandboxConfig};

use crate::place::{sandbox, sandbox_of};

#[test]
fn every_layer_is_either_in_force_or_missing_with_a_reason() {
    let mut config = SandboxConfig::default();
    config.requirements = Layer::ALL.into_iter().fold(config.requirements, jarre_sandbox::Requirements::without);
    let Some(sandbox) = sandbox_of(config) else { return };
    let protection = sandbox.protection();
    for layer in Layer::ALL {
        let missing: Vec<_> = protection.missing.iter().filter(|one| one.layer == layer).collect();
        assert_eq!(missing.len() + usize::from(protection.in_force.contains_key(&layer)), 1, "{protection}");
        assert!(missing.iter().all(|one| !one.reason.is_empty()));
    }
    println!("{protection}");
    // What is left of it is used.
    let dir = sandbox.empty_dir().unwrap();
    let script = "echo in > file && cat file && cat /etc/shadow /proc/1/environ; (sleep 20 &)";
    let execution = crate::place::shell(&sandbox, &dir, script);
    assert_eq!(execution.stdout.text, "in\n", "{execution}");
}

#[test]
fn what_is_shown_has_to_be_there_and_not_be_all() {
    if sandbox().is_none() {
        return;
    }
    for path in ["/no/such/place", "/", "/proc", "/sys/fs", "relative", "/usr/../etc"] {
        let result = jarre_sandbox::Sandbox::new(SandboxConfig::default().with_readable(path));
        assert!(matches!(&result, Err(Error::Invalid(why)) if why.contains(path)), "{path}: {result:?}");
    }
}

/// In a mount namespace of its own, where the test may make one.
#[test]
fn a_folder_with_a_mount_below_it_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let script = "mkdir -p \"$1/a folder/in\" && mount -t tmpfs none \"$1/a folder/in\" || exit 77
        cd \"$1\" && exec \"$0\" --ignored --exact refusal::runs_where_something_is_mounted --nocapture";
    let run = Plain::new("unshare").args(["-m", "sh", "-c", script]).arg(std::env::current_exe().unwrap()).arg(place.path()).output();
    let Ok(run) = run else { return };
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(!run.status.success() || text.contains("skipped") || text.contains("refused: `"), "{run:?}");
    assert!(run.status.success() || !text.contains("running"), "{run:?}");
}

#[test]
#[ignore = "is run by the test before it"]
fn runs_where_something_is_mounted() {
    if !std::path::Path::new("a folder").exists() {
        return println!("nothing is mounted here");
    }
    let Some(sandbox) = sandbox() else { return };
    let run = |dir: &str| sandbox.run(&Command::new("true", dir), &Cancel::new());
    match run("a folder") {
        Err(Error::Invalid(why)) if why.contains("a\\040folder/in` is mounted below") => println!("refused: {why}"),
        other => panic!("{other:?}"),
    }
    assert!(run("a folder/in").is_ok_and(|execution| execution.succeeded()), "one that is mounted itself is measured");
}

#[test]
fn tools_are_shown_and_found() {
    let tools = tempfile::tempdir().unwrap();
    let program = tools.path().join("bin/greet");
    std::fs::create_dir(tools.path().join("bin")).unwrap();
    std::fs::write(&program, "#!/bin/sh\necho good day from $0\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(tools.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    if sandbox().is_none() {
        return;
    }
    let sandbox = sandbox_of(SandboxConfig::default().with_tools(tools.path())).unwrap();
    let dir = sandbox.empty_dir().unwrap();
    let execution = sandbox.run(&Command::new("greet", dir.path()), &Cancel::new()).unwrap();
    assert_eq!(execution.stdout.text, format!("good day from {}\n", program.display()), "{execution}");
}
