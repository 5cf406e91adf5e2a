use std::ops::Range;

use crate::Result;

/// The scores of windows, in the order of their places: those at even places hold the whole text between them, and each at an odd one lies
/// within the two around it. `read` gives the scores of some of them.
///
/// What lies within two others is read only where one of those is `suspicious`, and at the end of the text; else it is given the higher of
/// their scores, label by label. So a text in which nothing is suspicious is read once and not twice.
pub(crate) fn score_overlapping(
    windows: &[Range<usize>],
    suspicious: impl Fn(&[f32]) -> bool,
    mut read: impl FnMut(&[Range<usize>]) -> Result<Vec<Vec<f32>>>,
) -> Result<Vec<Vec<f32>>> {
    let (outer, inner): (Vec<_>, Vec<_>) = (0..windows.len()).partition(|at| at % 2 == 0);
    let of = |places: &[usize]| places.iter().map(|&at| windows[at].clone()).collect::<Vec<_>>();
    let mut scores = vec![Vec::new(); windows.len()];
    for (at, said) in outer.iter().zip(read(&of(&outer))?) {
        scores[*at] = said;
    }
    let known = |at: &usize| scores.get(at + 1).is_some_and(|next| !suspicious(next) && !suspicious(&scores[at - 1]));
    let (known, unknown): (Vec<_>, Vec<_>) = inner.into_iter().partition(known);
    for at in known {
        scores[at] = scores[at - 1].iter().zip(&scores[at + 1]).map(|(one, other)| one.max(*other)).collect();
    }
    for (at, said) in unknown.iter().zip(read(&of(&unknown))?) {
        scores[*at] = said;
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, ops::Range};

    use super::score_overlapping;

    /// The scores where each window has the one that is given, and which places were read, in order.
    fn scored(given: &[f32]) -> (Vec<f32>, Vec<usize>) {
        let windows: Vec<Range<usize>> = (0..given.len()).map(|at| at * 2..at * 2 + 4).collect();
        let asked = RefCell::new(Vec::new());
        let read = |windows: &[Range<usize>]| {
            asked.borrow_mut().extend(windows.iter().map(|window| window.start / 2));
            Ok(windows.iter().map(|window| vec![given[window.start / 2]]).collect())
        };
        let scores = score_overlapping(&windows, |scores| scores[0] >= 0.5, read).unwrap();
        (scores.into_iter().map(|scores| scores[0]).collect(), asked.into_inner())
    }

    #[test]
    fn what_lies_between_two_without_suspicion_is_not_read() {
        assert_eq!(scored(&[0.1, 0.9, 0.3, 0.9, 0.2]), (vec![0.1, 0.3, 0.3, 0.3, 0.2], vec![0, 2, 4]));
    }

    #[test]
    fn what_lies_beside_one_with_suspicion_is_read_and_so_is_the_end() {
        assert_eq!(scored(&[0.1, 0.9, 0.6, 0.8, 0.2, 0.7, 0.3]), (vec![0.1, 0.9, 0.6, 0.8, 0.2, 0.3, 0.3], vec![0, 2, 4, 6, 1, 3]));
        assert_eq!(scored(&[0.1, 0.9]), (vec![0.1, 0.9], vec![0, 1]));
        assert_eq!(scored(&[0.1]), (vec![0.1], vec![0]));
        assert_eq!(scored(&[]), (vec![], vec![]));
    }
}
