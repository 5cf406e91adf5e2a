use std::time::Duration;

/// Steps between a power of two and the next.
const STEPS: usize = 32;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// How many durations there were of about each length, to one part in 32, in constant memory: 15 KiB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    /// By whole nanoseconds below 32, then by 32 steps for each power of two.
    counts: Vec<u64>,
    count: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; bucket(u64::MAX) + 1], count: 0, max: 0 }
    }
}

impl Histogram {
    /// Counts one.
    pub fn record(&mut self, length: Duration) {
        let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += 1;
        self.count += 1;
        self.max = self.max.max(nanos);
    }

    /// Counts those of another.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// How many were counted.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The length that this part of all, from 0 to 1, does not exceed; zero where there are none.
    pub fn quantile(&self, part: f64) -> Duration {
        let rank = ((self.count as f64 * part).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(longest(bucket).min(self.max));
            }
        }
        Duration::ZERO
    }
}

/// Where a length is counted.
const fn bucket(nanos: u64) -> usize {
    if nanos < STEPS as u64 {
        return nanos as usize;
    }
    let power = nanos.ilog2() - STEP_BITS;
    (power as usize + 1) * STEPS + (nanos >> power) as usize - STEPS
}

/// The greatest length that is counted there.
const fn longest(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let (power, step) = (bucket / STEPS - 1, bucket % STEPS);
    (((STEPS + step) as u64) << power) + ((1_u64 << power) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn a_length_is_counted_where_it_belongs(nanos in any::<u64>(), small in 0_u64..5000) {
            for nanos in [nanos, small] {
                let at = bucket(nanos);
                prop_assert!(nanos <= longest(at) && (at == 0 || nanos > longest(at - 1)));
                prop_assert!(longest(at) - nanos <= nanos / 32, "to one part in 32");
            }
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_lengths(mut nanos in vec(0_u64..10_000_000, 1..200), part in 0.0..1.0_f64) {
            let (mut one, mut other) = (Histogram::default(), Histogram::default());
            for (number, nanos) in nanos.iter().enumerate() {
                if number % 2 == 0 { &mut one } else { &mut other }.record(Duration::from_nanos(*nanos));
            }
            one.add(&other);
            nanos.sort_unstable();
            let rank = ((nanos.len() as f64 * part).ceil() as usize).clamp(1, nanos.len());
            let (found, exact) = (one.quantile(part).as_nanos() as u64, nanos[rank - 1]);
            prop_assert!(found >= exact && found - exact <= exact / 32, "{} for {}", found, exact);
            prop_assert_eq!(one.quantile(1.0).as_nanos() as u64, nanos[nanos.len() - 1], "the longest is exact");
        }
    }

    #[test]
    fn of_none_every_quantile_is_zero() {
        assert_eq!(Histogram::default().quantile(0.5), Duration::ZERO);
        assert_eq!(bucket(u64::MAX), Histogram::default().counts.len() - 1);
    }
}
