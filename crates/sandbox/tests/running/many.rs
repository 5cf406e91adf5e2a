use std::thread;

use jarre_sandbox::{Cancel, Command};

use crate::place::sandbox;

#[test]
fn a_hundred_at_once_keep_apart() {
    let Some(sandbox) = sandbox() else { return };
    thread::scope(|scope| {
        let runs: Vec<_> = (0..100)
            .map(|number| {
                let sandbox = sandbox.clone();
                scope.spawn(move || {
                    let dir = sandbox.empty_dir().unwrap();
                    let script = format!("cat > mine; echo {number} > /tmp/mine; sleep 0.05; cat mine /tmp/mine; ls /tmp | wc -l");
                    let command = Command::new("sh", dir.path()).with_args(["-c", &script]).with_stdin(format!("in {number}\n"));
                    (number, sandbox.run(&command, &Cancel::new()).unwrap())
                })
            })
            .collect();
        for run in runs {
            let (number, execution) = run.join().unwrap();
            assert_eq!(execution.stdout.text, format!("in {number}\n{number}\n1\n"), "{execution}");
        }
    });
}
