use std::time::Duration;

use jarre_sandbox::{Exit, LimitHit};

use crate::attempt::Stage;

/// Escape sequences come out written out.
#[test]
fn escape_sequences() {
    let Some(stage) = Stage::new() else { return };
    let execution = stage.shell(r"printf '\033]0;owned\007\033[2J\r\302\233x\n'");
    assert_eq!(execution.stdout.text, "\\x1b]0;owned\\x07\\x1b[2J\\x0d\\x9bx\n");
}

/// A flood of output is drained, and what is kept of it is bounded.
#[test]
fn output_floods() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.output = 1000;
    let execution = stage.python_with("for i in range(300000): sys.stdout.write('%06d\\n' % i); sys.stderr.write('e' * 7)", &limits);
    assert_eq!(execution.exit, Exit::Code(0), "{execution}");
    assert_eq!(execution.limits_hit, [LimitHit::Output]);
    assert_eq!((execution.stdout.dropped, execution.stderr.dropped), (2_100_000 - 1000, 2_100_000 - 1000));
    assert!(execution.stdout.text.starts_with("000000\n") && execution.stdout.text.ends_with("299999\n"));
    assert!(execution.stdout.text.len() < 1100);
}

/// A flood without an end meets the limit on time.
#[test]
fn endless_floods() {
    let Some(stage) = Stage::new() else { return };
    let mut limits = Stage::limits();
    limits.wall = Duration::from_millis(1500);
    limits.output = 100;
    let execution = stage.shell_with("yes", &limits);
    assert_eq!(execution.exit, Exit::Signal(9), "{execution}");
    assert_eq!(execution.limits_hit, [LimitHit::Wall, LimitHit::Output]);
}
