//! How much memory one call takes beside its inputs and its result, in a process of its own.

use anyhow::Result;
use jarre_kernels::packed::Pool;
use serde::{Deserialize, Serialize};

use super::case::{Case, Inputs, Kind};
use crate::{child, resident};

/// Has glibc give what is freed back to the system at once, so that a call does not take it for what it needs unseen.
const GIVE_BACK: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=65536:glibc.malloc.trim_threshold=65536");

#[derive(Serialize, Deserialize)]
pub(super) struct Job {
    case: Case,
    kind: Kind,
}

/// Bytes by which a call raises the peak of a fresh process, the result left out; only Linux tells.
pub(super) fn of(case: &Case, kind: Kind) -> Result<Option<u64>> {
    child::run("attention-memory", &[GIVE_BACK], &Job { case: *case, kind })
}

pub(super) fn measure(job: &Job) -> Option<u64> {
    wake(job);
    let inputs = Inputs::new(&job.case);
    resident::forget_peak();
    let before = resident::peak();
    let result = std::hint::black_box(inputs.attend(job.kind));
    let after = resident::peak();
    drop(result);
    before.zip(after).map(|(before, after)| after.saturating_sub(before).saturating_sub(job.case.output_bytes()))
}

/// Starts the threads that the call runs on: their stacks are none of its memory, the tiles that they hold are.
fn wake(job: &Job) {
    match job.kind {
        Kind::Flash => Pool::global().run(2 * Pool::global().threads(), |_| {}),
        Kind::Standard => drop(Inputs::new(&Case { length: job.case.length.min(64), ..job.case }).attend(job.kind)),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn scores_that_are_written_out_show() {
        let case = Case { length: 1024, heads: 4, head_dim: 16, causal: true };
        let extra = measure(&Job { case, kind: Kind::Standard }).unwrap();
        // Other tests run beside this one and may only add to it.
        assert!(extra >= case.score_bytes() / 2, "{extra}");
    }
}
