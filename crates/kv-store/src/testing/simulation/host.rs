use std::{sync::OnceLock, time::Duration};

use jarre_core::{Clock, Timestamp};
use tokio::{
    runtime::{Builder, Runtime},
    time::Instant,
};

/// A process with its own time.
#[derive(Debug)]
pub(super) struct Host {
    runtime: Runtime,
    began: Instant,
    rate: f64,
    /// Nanoseconds of its own time that should have passed.
    passed: f64,
    paused_until: u64,
    was_paused: bool,
}

impl Host {
    pub(super) fn new(rate: f64, seed: u64, main: impl Future<Output = ()> + Send + 'static) -> Self {
        let mut builder = Builder::new_current_thread();
        draw_from(seed, &mut builder);
        let runtime =
            builder.enable_time().start_paused(true).build().expect("a runtime without input and output needs nothing of the system");
        let began = runtime.block_on(async { Instant::now() });
        runtime.spawn(main);
        Self { runtime, began, rate, passed: 0.0, paused_until: 0, was_paused: false }
    }

    pub(super) fn pause(&mut self, until: u64) {
        self.paused_until = until.max(self.paused_until);
    }

    pub(super) fn is_paused(&self, now: u64) -> bool {
        now < self.paused_until
    }

    pub(super) fn on<T>(&self, look: impl FnOnce() -> T) -> T {
        let _entered = self.runtime.enter();
        look()
    }

    pub(super) fn step(&mut self, now: u64, millis: u64) {
        self.passed += millis as f64 * 1e6 * self.rate;
        if self.is_paused(now) {
            self.was_paused = true;
            return;
        }
        let until = self.began + Duration::from_nanos(self.passed as u64);
        let jumps = std::mem::take(&mut self.was_paused);
        self.runtime.block_on(async {
            if jumps {
                tokio::time::advance(until.saturating_duration_since(Instant::now())).await;
            }
            tokio::time::sleep_until(until).await;
        });
    }
}

/// Lets `select!` draw from `seed`, where tokio can.
#[cfg_attr(not(tokio_unstable), expect(clippy::missing_const_for_fn, unused_variables, reason = "only an unstable tokio has a use for it"))]
fn draw_from(seed: u64, builder: &mut Builder) {
    #[cfg(tokio_unstable)]
    builder.rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()));
}

/// The clock of the host on which it is asked.
#[derive(Debug, Default)]
pub struct HostClock {
    began: OnceLock<Instant>,
}

impl HostClock {
    /// A clock that begins when it is first asked.
    pub const fn new() -> Self {
        Self { began: OnceLock::new() }
    }
}

impl Clock for HostClock {
    fn now(&self) -> Duration {
        let now = Instant::now();
        now.saturating_duration_since(*self.began.get_or_init(|| now))
    }

    fn timestamp(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH.saturating_add(self.now())
    }
}
