use crate::deployment::Micros;

/// What a node takes for the time. All clocks agree at first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// What it showed, and when.
    shown: Micros,
    since: Micros,
    /// How fast it runs, of a hundred.
    percent: u64,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { shown: 0, since: 0, percent: 100 }
    }

    /// What it shows.
    pub(super) fn at(&self, now: Micros) -> Micros {
        self.shown + (now - self.since) * self.percent / 100
    }

    /// When it will have gone on by so much.
    pub(super) fn after(&self, now: Micros, length: Micros) -> Micros {
        now + length * 100 / self.percent
    }

    /// It jumps ahead, and runs so fast from now on.
    pub(super) fn set(&mut self, now: Micros, ahead: Micros, percent: u64) {
        *self = Self { shown: self.at(now) + ahead, since: now, percent };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_jumps_and_runs_faster_and_never_goes_back() {
        let mut clock = Clock::new();
        assert_eq!((clock.at(700), clock.after(700, 50)), (700, 750));
        clock.set(1_000, 500, 120);
        assert_eq!((clock.at(1_000), clock.at(2_000)), (1_500, 2_700));
        assert_eq!(clock.after(2_000, 60), 2_050);
        clock.set(2_000, 0, 100);
        assert_eq!((clock.at(2_000), clock.at(2_100)), (2_700, 2_800));
    }
}
