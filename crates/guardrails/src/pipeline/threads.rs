use std::thread;

use super::reading::Reading;

/// From this length of a text on, layers of a group read it at the same time, in bytes: what starting a thread costs is then small beside
/// what a layer of several patterns takes. `cargo bench -p jarre-guardrails --bench pipeline -- threads` compares one thread with more.
const PARALLEL: usize = 32 * 1024;

/// Runs `work` on every reading of a text of this length, on so many threads where it is long.
pub(super) fn each(readings: &mut [Reading], length: usize, threads: usize, work: impl Fn(&mut Reading) + Sync) {
    let open = readings.iter().filter(|reading| reading.is_open()).count();
    let threads = if length < PARALLEL { 1 } else { threads.min(open).max(1) };
    let share = readings.len().div_ceil(threads);
    if threads == 1 || share >= readings.len() {
        return readings.iter_mut().for_each(work);
    }
    let work = &work;
    thread::scope(|scope| {
        let mut shares = readings.chunks_mut(share);
        let own = shares.next();
        for share in shares {
            scope.spawn(move || share.iter_mut().for_each(work));
        }
        own.into_iter().flatten().for_each(work);
    });
}
