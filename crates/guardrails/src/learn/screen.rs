use std::ops::Range;

use crate::Result;

/// The scores of `windows`, in the order of their places, of which most need not be read where nothing is `suspicious`.
///
/// `runs` hold the whole text between them, in order, and are all read. A window that is one of them is not read again; another one is read where
/// a run that it shares text with is suspicious, and else given the highest of their scores, label by label. `read` gives the scores of some.
pub(crate) fn score_screened(
    windows: &[Range<usize>],
    runs: &[Range<usize>],
    suspicious: impl Fn(&[f32]) -> bool,
    mut read: impl FnMut(&[Range<usize>]) -> Result<Vec<Vec<f32>>>,
) -> Result<Vec<Vec<f32>>> {
    let said = read(runs)?;
    let known = |window: &Range<usize>| {
        if let Ok(same) = runs.binary_search_by_key(&(window.start, window.end), |run| (run.start, run.end)) {
            return Some(said[same].clone());
        }
        let from = runs.partition_point(|run| run.end <= window.start);
        let to = runs.partition_point(|run| run.start < window.end).max(from);
        let around = &said[from..to];
        if around.iter().any(|scores| suspicious(scores)) {
            None
        } else {
            around.split_first().map(|(one, others)| others.iter().fold(one.clone(), |most, scores| higher(&most, scores)))
        }
    };
    let mut scores: Vec<Option<Vec<f32>>> = windows.iter().map(known).collect();
    let unknown: Vec<Range<usize>> =
        windows.iter().zip(&scores).filter(|(_, scores)| scores.is_none()).map(|(window, _)| window.clone()).collect();
    let missing = scores.iter_mut().filter(|scores| scores.is_none());
    missing.zip(read(&unknown)?).for_each(|(scores, said)| *scores = Some(said));
    Ok(scores.into_iter().flatten().collect())
}

fn higher(one: &[f32], other: &[f32]) -> Vec<f32> {
    one.iter().zip(other).map(|(one, other)| one.max(*other)).collect()
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, ops::Range, slice};

    use super::score_screened;

    const RUNS: [Range<usize>; 4] = [0..4, 5..9, 10..14, 15..19];

    /// The scores where that of a window is what `score` gives, and which windows were read behind the runs.
    fn scored(windows: &[Range<usize>], runs: &[Range<usize>], score: impl Fn(&Range<usize>) -> f32) -> (Vec<f32>, Vec<Range<usize>>) {
        let asked = RefCell::new(Vec::new());
        let read = |windows: &[Range<usize>]| {
            asked.borrow_mut().extend(windows.iter().cloned());
            Ok(windows.iter().map(|window| vec![score(window)]).collect())
        };
        let scores = score_screened(windows, runs, |scores| scores[0] >= 0.5, read).unwrap();
        (scores.into_iter().map(|scores| scores[0]).collect(), asked.into_inner().split_off(runs.len()))
    }

    #[test]
    fn windows_beside_no_suspicion_have_the_highest_score_around_them() {
        let windows = [0..4, 2..7, 5..9, 7..12, 16..18];
        let (scores, read) = scored(&windows, &RUNS, |window| if RUNS.contains(window) { window.start as f32 / 100.0 } else { 1.0 });
        assert_eq!((scores, read), (vec![0.0, 0.05, 0.05, 0.10, 0.15], vec![]));
    }

    #[test]
    fn windows_that_share_text_with_a_suspicious_run_are_read() {
        let windows = [0..4, 2..7, 7..12, 9..10, 12..17, 15..19];
        let score = |window: &Range<usize>| match window.start {
            5 => 0.5,
            12 => 0.9,
            start => start as f32 / 100.0,
        };
        let (scores, read) = scored(&windows, &RUNS, score);
        // Between two runs there is nothing to read, and nobody knows better.
        assert_eq!(read, [2..7, 7..12, 9..10]);
        assert_eq!(scores, [0.0, 0.02, 0.07, 0.09, 0.15, 0.15]);
    }

    #[test]
    fn runs_are_read_once_and_nothing_is_read_as_nothing() {
        let (scores, read) = scored(&RUNS, &RUNS, |window| if window.start == 5 { 0.9 } else { 0.1 });
        assert_eq!((scores, read), (vec![0.1, 0.9, 0.1, 0.1], vec![]));
        assert_eq!(scored(&[], &[], |_| 1.0), (vec![], vec![]));
        let (empty, edge) = (0..0, 4..4);
        let [nothing, between] = [&empty, &edge].map(slice::from_ref);
        assert_eq!(scored(nothing, nothing, |_| 0.7), (vec![0.7], vec![]));
        assert_eq!(scored(between, &RUNS, |_| 0.1), (vec![0.1], between.to_vec()));
    }
}
