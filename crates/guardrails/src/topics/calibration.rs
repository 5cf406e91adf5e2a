use serde::{Deserialize, Serialize};

/// A threshold, and how it does on the texts that it was chosen on.
///
/// Those figures are too good, as any on the texts that a choice was made on: measure on others before you rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The similarity from which a text is about the topic.
    pub threshold: f32,
    /// The share that is found of the texts that are to be found: those about a topic that is denied, the others of one that is allowed.
    pub found: f32,
    /// The share that is found of the texts that are to be left alone.
    pub falsely_found: f32,
}

impl Calibration {
    /// The lowest threshold at which at most the share `most` of `others` is found, halfway to the next similarity below. `None` where a side is empty.
    pub(super) fn choose(about: &[f32], others: &[f32], most: f32) -> Option<Self> {
        if about.is_empty() || others.is_empty() {
            return None;
        }
        let mut all: Vec<f32> = about.iter().chain(others).copied().collect();
        all.sort_by(f32::total_cmp);
        all.dedup();
        let share = |of: &[f32], threshold: f32| of.iter().filter(|value| **value >= threshold).count() as f32 / of.len() as f32;
        let allowed = all.partition_point(|&threshold| share(others, threshold) > most);
        let below = allowed.checked_sub(1).map(|index| all[index]);
        let threshold = match (all.get(allowed), below) {
            (Some(&value), Some(below)) => f32::midpoint(value, below),
            (Some(&value), None) => value,
            // Nothing that was seen is similar enough.
            (None, below) => below.unwrap_or(1.0).next_up(),
        };
        Some(Self { threshold, found: share(about, threshold), falsely_found: share(others, threshold) })
    }

    /// As [`choose`](Self::choose) for a topic that is allowed: the highest threshold below which at most the share `most` of the texts `about` it is.
    pub(super) fn choose_allowed(about: &[f32], others: &[f32], most: f32) -> Option<Self> {
        let distances = |of: &[f32]| -> Vec<f32> { of.iter().map(|closeness| -closeness).collect() };
        let chosen = Self::choose(&distances(others), &distances(about), most)?;
        // What is as close as the threshold is about the topic.
        Some(Self { threshold: (-chosen.threshold).next_up(), ..chosen })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_threshold_that_keeps_to_the_bound() {
        let chosen = Calibration::choose(&[0.9, 0.8, 0.4], &[0.5, 0.3, 0.2, 0.1], 0.0).unwrap();
        assert!(chosen.threshold > 0.5 && chosen.threshold < 0.8);
        assert_eq!((chosen.found, chosen.falsely_found), (2.0 / 3.0, 0.0));
        let looser = Calibration::choose(&[0.9, 0.8, 0.4], &[0.5, 0.3, 0.2, 0.1], 0.25).unwrap();
        assert_eq!((looser.found, looser.falsely_found), (1.0, 0.25));
        let hopeless = Calibration::choose(&[0.1], &[0.9], 0.0).unwrap();
        assert_eq!((hopeless.found, hopeless.falsely_found), (0.0, 0.0));
        assert_eq!(Calibration::choose(&[], &[0.1], 0.0), None);
    }

    #[test]
    fn the_highest_threshold_that_leaves_an_allowed_topic_alone() {
        let chosen = Calibration::choose_allowed(&[0.9, 0.8, 0.4], &[0.5, 0.3, 0.2, 0.1], 0.0).unwrap();
        assert!(chosen.threshold > 0.3 && chosen.threshold <= 0.4);
        assert_eq!((chosen.found, chosen.falsely_found), (0.75, 0.0));
        let looser = Calibration::choose_allowed(&[0.9, 0.8, 0.4], &[0.5, 0.3, 0.2, 0.1], 0.34).unwrap();
        assert!(looser.threshold > 0.5 && looser.threshold <= 0.8);
        assert_eq!((looser.found, looser.falsely_found), (1.0, 1.0 / 3.0));
        let hopeless = Calibration::choose_allowed(&[0.1], &[0.9], 0.0).unwrap();
        assert_eq!((hopeless.found, hopeless.falsely_found), (0.0, 0.0));
        assert!(hopeless.threshold <= 0.1);
    }
}
