//! Statistics, held to published figures, to other programs, to slow definitions and to simulated truth.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests, which show the shares they count")]

mod bootstrap;
mod goldens;
mod hostile;
mod oracles;
mod random;
mod references;
mod simulations;
mod verdicts;

use jarre_eval::stats::Interval;

#[track_caller]
fn assert_close(actual: f64, expected: f64, relative: f64) {
    assert!((actual - expected).abs() <= relative * expected.abs(), "{actual:e}, expected {expected:e}");
}

#[track_caller]
fn assert_interval(actual: Interval, expected: (f64, f64), tolerance: f64) {
    let worst = (actual.low - expected.0).abs().max((actual.high - expected.1).abs());
    assert!(worst <= tolerance, "{actual:?}, expected {expected:?}");
}
