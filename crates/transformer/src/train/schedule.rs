use std::{f64::consts::PI, ops::Range};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The learning rate as a function of the step and of nothing else, so that a resumed training goes on with the rate that it would have had.
///
/// Every schedule starts with a linear warm-up: step `s` of `warmup` has the rate `peak (s + 1) / (warmup + 1)`, above zero at step 0 and
/// just reaching the peak at step `warmup`. Past the end of the decay the rate stays at the floor.
///
/// ```
/// # use jarre_transformer::train::Schedule;
/// let schedule = Schedule::cosine(6e-4, 6e-5, 100, 2_000)?;
/// assert_eq!(schedule.lr(0), 6e-4 / 101.0);
/// assert_eq!(schedule.lr(2_000), 6e-5);
/// # Ok::<(), jarre_transformer::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Schedule(Unchecked);

/// How a learning rate falls from its peak to its floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecayCurve {
    /// Evenly.
    Linear,
    /// Half a period of a cosine: slowly, fast, slowly.
    Cosine,
    /// By `1 - sqrt(x)`: fast at first.
    OneMinusSqrt,
}

impl Schedule {
    /// The peak, once it is reached.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] where `peak` is not finite or not above 0.
    pub fn constant(peak: f64, warmup: u64) -> Result<Self> {
        Unchecked { peak, warmup, decay: None }.check()
    }

    /// Falls evenly from the end of the warm-up to `floor` at step `end`.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless `0 <= floor <= peak`, `0 < peak` and `warmup < end`, all finite.
    pub fn linear(peak: f64, floor: f64, warmup: u64, end: u64) -> Result<Self> {
        Self::wsd(peak, floor, warmup, warmup..end, DecayCurve::Linear)
    }

    /// Falls along a cosine from the end of the warm-up to `floor` at step `end` ([Loshchilov and Hutter 2017](https://arxiv.org/abs/1608.03983),
    /// without restarts): `floor + (peak - floor) (1 + cos(pi x)) / 2`, where `x` goes from 0 to 1. With the warm-up this is nanoGPT's
    /// schedule to the step.
    ///
    /// # Errors
    /// As for [`linear`](Self::linear).
    pub fn cosine(peak: f64, floor: f64, warmup: u64, end: u64) -> Result<Self> {
        Self::wsd(peak, floor, warmup, warmup..end, DecayCurve::Cosine)
    }

    /// Warm-up, stable, decay ([Hu et al. 2024](https://arxiv.org/abs/2404.06395)): the peak until step `decay.start`, `floor` from step
    /// `decay.end` on. A decay over the last tenth or fifth of the steps by [`DecayCurve::OneMinusSqrt`] does as well as a cosine over all of
    /// them ([Hägele et al. 2024](https://arxiv.org/abs/2405.18392)), and where it starts need not be known at the start.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless `0 <= floor <= peak`, `0 < peak` and `warmup <= decay.start < decay.end`, all finite.
    pub fn wsd(peak: f64, floor: f64, warmup: u64, decay: Range<u64>, curve: DecayCurve) -> Result<Self> {
        let Range { start, end } = decay;
        Unchecked { peak, warmup, decay: Some(Decay { start, end, floor, curve }) }.check()
    }

    /// The learning rate of the update that is made at `step`, counted from zero.
    pub fn lr(&self, step: u64) -> f64 {
        let Unchecked { peak, warmup, decay } = self.0;
        if step < warmup {
            return peak * (step as f64 + 1.0) / (warmup as f64 + 1.0);
        }
        decay.map_or(peak, |decay| decay.lr(peak, step))
    }

    /// The highest rate.
    pub fn peak(&self) -> f64 {
        self.0.peak
    }

    /// The step from which on the rate stays at its floor, where it falls at all.
    pub fn end(&self) -> Option<u64> {
        self.0.decay.map(|decay| decay.end)
    }
}

/// How a schedule is written down.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    peak: f64,
    warmup: u64,
    decay: Option<Decay>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decay {
    start: u64,
    end: u64,
    floor: f64,
    curve: DecayCurve,
}

impl Unchecked {
    fn check(self) -> Result<Schedule> {
        if !(self.peak.is_finite() && self.peak > 0.0) {
            return Err(Error::setting("the peak learning rate", self.peak, "finite and above 0"));
        }
        if let Some(decay) = self.decay {
            decay.check(self.peak, self.warmup)?;
        }
        Ok(Schedule(self))
    }
}

impl TryFrom<Unchecked> for Schedule {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self> {
        unchecked.check()
    }
}

impl From<Schedule> for Unchecked {
    fn from(schedule: Schedule) -> Self {
        schedule.0
    }
}

impl Decay {
    fn check(&self, peak: f64, warmup: u64) -> Result<()> {
        if !(0.0..=peak).contains(&self.floor) {
            return Err(Error::setting("the lowest learning rate", self.floor, format!("between 0 and the peak, {peak}")));
        }
        if self.start < warmup {
            let expected = format!("at least {warmup}, where the warm-up ends");
            return Err(Error::setting("the step at which the learning rate starts to fall", self.start, expected));
        }
        if self.end <= self.start {
            let expected = format!("after step {}, where the decay starts", self.start);
            return Err(Error::setting("the step at which the learning rate has fallen", self.end, expected));
        }
        Ok(())
    }

    fn lr(&self, peak: f64, step: u64) -> f64 {
        if step < self.start {
            return peak;
        }
        if step > self.end {
            return self.floor;
        }
        let gone = (step - self.start) as f64 / (self.end - self.start) as f64;
        self.floor + self.curve.left(gone) * (peak - self.floor)
    }
}

impl DecayCurve {
    /// What is left of the fall, from 1 to 0, when the share `gone` of the decay's steps is over.
    fn left(self, gone: f64) -> f64 {
        match self {
            Self::Linear => 1.0 - gone,
            Self::Cosine => 0.5 * (1.0 + (PI * gone).cos()),
            Self::OneMinusSqrt => 1.0 - gone.sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CURVES: [DecayCurve; 3] = [DecayCurve::Linear, DecayCurve::Cosine, DecayCurve::OneMinusSqrt];

    fn assert_rates(schedule: Schedule, expected: &[(u64, f64)]) {
        for &(step, rate) in expected {
            let found = schedule.lr(step);
            assert!((found - rate).abs() <= 1e-10 * rate.max(1e-3), "step {step}: {found} instead of {rate}");
        }
    }

    #[test]
    fn the_cosine_is_that_of_nanogpt() {
        // get_lr of nanoGPT's train.py with learning_rate 1e-3, min_lr 1e-4, warmup_iters 100, lr_decay_iters 2000.
        let schedule = Schedule::cosine(1e-3, 1e-4, 100, 2_000).unwrap();
        let warm = [(0, 9.900_990_099_009_9e-6), (99, 9.900_990_099_009_9e-4), (100, 1e-3)];
        let cooling = [(575, 8.681_980_515_339_464e-4), (1_050, 5.5e-4), (1_525, 2.318_019_484_660_536e-4)];
        assert_rates(schedule, &[&warm[..], &cooling[..], &[(2_000, 1e-4), (2_001, 1e-4), (u64::MAX, 1e-4)]].concat());
    }

    #[test]
    fn the_others_follow_their_formulas() {
        let wsd = |curve| Schedule::wsd(0.8, 0.4, 3, 100..200, curve).unwrap();
        let stable = [(0, 0.2), (1, 0.4), (2, 0.6), (3, 0.8), (99, 0.8), (100, 0.8), (200, 0.4), (500, 0.4)];
        for curve in CURVES {
            assert_rates(wsd(curve), &stable);
        }
        assert_rates(wsd(DecayCurve::OneMinusSqrt), &[(104, 0.72), (125, 0.6), (181, 0.44)]);
        assert_rates(wsd(DecayCurve::Linear), &[(104, 0.784), (125, 0.7), (181, 0.476)]);
        assert_rates(Schedule::linear(1.0, 0.0, 0, 4).unwrap(), &[(0, 1.0), (1, 0.75), (3, 0.25), (4, 0.0)]);
        assert_rates(Schedule::constant(0.5, 1).unwrap(), &[(0, 0.25), (1, 0.5), (u64::MAX, 0.5)]);
    }

    #[test]
    fn impossible_schedules_are_refused() {
        let peaks = [0.0, -1e-3, f64::NAN, f64::INFINITY].map(|peak| Schedule::constant(peak, 0));
        let floors = [-1e-9, 2e-3, f64::NAN, f64::INFINITY].map(|floor| Schedule::cosine(1e-3, floor, 0, 10));
        let ends = [0, 9, 10].map(|end| Schedule::linear(1e-3, 0.0, 10, end));
        let starts = [0..20, 9..20, 20..20].map(|decay| Schedule::wsd(1e-3, 0.0, 10, decay, DecayCurve::Linear));
        for refused in peaks.into_iter().chain(floors).chain(ends).chain(starts) {
            assert!(matches!(refused, Err(Error::InvalidSetting { .. })), "{refused:?}");
        }
        let error = Schedule::linear(1e-3, 0.0, 10, 5).unwrap_err().to_string();
        assert_eq!(error, "the step at which the learning rate has fallen is 5; it has to be after step 10, where the decay starts");
    }

    #[test]
    fn what_is_written_down_is_checked_when_it_is_read() {
        let schedule = Schedule::wsd(1e-3, 2.5e-4, 10, 90..100, DecayCurve::OneMinusSqrt).unwrap();
        let json = serde_json::to_string(&schedule).unwrap();
        assert_eq!(json, r#"{"peak":0.001,"warmup":10,"decay":{"start":90,"end":100,"floor":0.00025,"curve":"one_minus_sqrt"}}"#);
        assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule);
        for (part, broken) in [("\"end\":100", "\"end\":90"), ("0.001", "-1"), ("0.00025", "null"), ("\"warmup\":10", "\"warmup\":-1")] {
            assert!(serde_json::from_str::<Schedule>(&json.replace(part, broken)).is_err(), "{broken}");
        }
    }

    /// The steepest that a curve can fall from one step to the next, as a share of the whole fall.
    fn steepest(curve: DecayCurve, steps: u64) -> f64 {
        match curve {
            DecayCurve::Linear => 1.0 / steps as f64,
            DecayCurve::Cosine => PI / 2.0 / steps as f64,
            DecayCurve::OneMinusSqrt => (1.0 / steps as f64).sqrt(),
        }
    }

    proptest! {
        #[test]
        fn rates_rise_then_fall_without_a_jump(
            peak in 1e-6_f64..1.0, share in 0.0_f64..=1.0, warmup in 0_u64..50, stable in 0_u64..50, decay in 1_u64..100, curve in 0_usize..3,
        ) {
            let (start, curve, floor) = (warmup + stable, CURVES[curve], peak * share);
            let schedule = Schedule::wsd(peak, floor, warmup, start..start + decay, curve).unwrap();
            let slack = 1e-12 * peak;
            for step in 0..start + decay + 10 {
                let (now, next) = (schedule.lr(step), schedule.lr(step + 1));
                prop_assert!((0.0..=peak + slack).contains(&now));
                if step < warmup {
                    prop_assert!(now < next && next - now <= peak / (warmup as f64 + 1.0) + slack, "step {}: {} then {}", step, now, next);
                } else {
                    let jump = (peak - floor) * steepest(curve, decay);
                    prop_assert!(next <= now + slack && now - next <= jump + slack, "step {}: {} then {}", step, now, next);
                }
            }
            prop_assert_eq!(schedule.lr(start + decay).to_bits(), floor.to_bits());
        }
    }
}
