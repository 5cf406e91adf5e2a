//! How workers get into a job and out of it.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::yield_now;

/// Times that a thread without work looks for it before it gives way.
const SPINS: usize = 2_000;
/// Times that it gives way before it sleeps.
const YIELDS: usize = 16;

const OPEN: u64 = 1 << 31;
const INSIDE: u64 = OPEN - 1;

/// Counts the workers inside a job, and lets none in while shut: a job's number in the upper half, then a bit for open, then the count.
/// A worker that wakes late finds the door shut and is not waited for.
#[derive(Debug, Default)]
pub(super) struct Door(AtomicU64);

impl Door {
    /// Opens for the next job. Only while shut and empty, when nobody else changes the word.
    pub(super) fn open(&self) {
        let number = number(self.0.load(Ordering::Relaxed)).wrapping_add(1);
        self.0.store(u64::from(number) << 32 | OPEN, Ordering::SeqCst);
    }

    pub(super) fn is_open(&self, last: u32) -> bool {
        let word = self.0.load(Ordering::SeqCst);
        word & OPEN != 0 && number(word) != last
    }

    /// Enters a job other than the last one and gives back its number.
    pub(super) fn enter(&self, last: u32) -> Option<u32> {
        let enter = |word| (word & OPEN != 0 && number(word) != last).then_some(word + 1);
        self.0.fetch_update(Ordering::Acquire, Ordering::Relaxed, enter).ok().map(number)
    }

    pub(super) fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Release);
    }

    /// Lets nobody in any more and waits until all have left.
    pub(super) fn shut(&self) {
        self.0.fetch_and(!OPEN, Ordering::Acquire);
        while !pause_until(|| self.0.load(Ordering::Acquire) & INSIDE == 0) {}
    }
}

fn number(word: u64) -> u32 {
    (word >> 32) as u32
}

/// Spins and gives way for a bounded time; true as soon as `ready`.
pub(super) fn pause_until(ready: impl Fn() -> bool) -> bool {
    for pause in 0..SPINS + YIELDS {
        if ready() {
            return true;
        }
        if pause < SPINS { spin_loop() } else { yield_now() }
    }
    false
}
