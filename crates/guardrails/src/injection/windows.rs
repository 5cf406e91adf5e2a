use std::ops::Range;

/// A window ends once it has this many bytes.
const WINDOW: usize = 512;

/// What a classifier learns from: runs of whole sentences of about half a kilobyte, of which each begins in the middle of the one before.
pub fn windows(sentences: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut first = 0;
    while first < sentences.len() {
        let last = end(sentences, first);
        found.push(span(sentences, first..last));
        if last == sentences.len() {
            break;
        }
        first = middle(sentences, first..last);
    }
    found
}

/// What a classifier reads: at even places runs of whole sentences of about half a kilobyte, one after another; at odd ones those that begin in
/// the middle of the one before, or with its last sentence, and end with the one after at the latest.
pub(super) fn covering(sentences: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut first = 0;
    while first < sentences.len() {
        let last = end(sentences, first);
        found.push(span(sentences, first..last));
        if last < sentences.len() {
            let between = middle(sentences, first..last).min(last - 1);
            found.push(span(sentences, between..end(sentences, between).min(end(sentences, last))));
        }
        first = last;
    }
    found
}

/// Where a window ends that begins with the sentence `first`: at least behind that one.
fn end(sentences: &[Range<usize>], first: usize) -> usize {
    let start = sentences[first].start;
    first + sentences[first..].iter().take_while(|sentence| sentence.end - start <= WINDOW).count().max(1)
}

/// The first sentence that begins in the second half of a run or behind it, never the first of the run.
fn middle(sentences: &[Range<usize>], run: Range<usize>) -> usize {
    let Range { start, end } = span(sentences, run.clone());
    let before = sentences[run.clone()].partition_point(|sentence| sentence.start < start + (end - start) / 2);
    run.start + before.max(1)
}

fn span(sentences: &[Range<usize>], run: Range<usize>) -> Range<usize> {
    sentences[run.start].start..sentences[run.end - 1].end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::sentences::sentences, covering, windows};

    #[test]
    fn windows_cover_all_and_overlap() {
        let text = "A sentence of some length, and so on. ".repeat(200);
        let found = windows(&sentences(&text));
        assert_eq!((found[0].start, found[found.len() - 1].end), (0, text.trim_end().len()));
        assert!(found.iter().all(|window| window.len() <= 512));
        assert!(found.windows(2).all(|pair| pair[0].start < pair[1].start && pair[1].start < pair[0].end && pair[0].end < pair[1].end));
        let short = "One. Two.";
        assert_eq!(windows(&sentences(short)).first(), Some(&(0..9)));
        assert!(windows(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn each_second_window_lies_within_the_two_around_it(text in r"([a-z]{1,9}[ .\n] ?|[a-z ]{60,90}\. |\.{3} {20}){0,60}") {
            let sentences = sentences(&text);
            let found = covering(&sentences);
            let runs: Vec<_> = found.iter().step_by(2).collect();
            let held = |run: &&std::ops::Range<usize>| sentences.iter().filter(|sentence| run.start <= sentence.start && sentence.end <= run.end).count();
            prop_assert_eq!(runs.iter().map(held).sum::<usize>(), sentences.len(), "each sentence is in one run");
            prop_assert!(found.iter().all(|window| window.len() <= 512));
            for three in found.windows(3).step_by(2) {
                let [before, between, after] = three else { unreachable!() };
                prop_assert!(before.start <= between.start && between.start < before.end && between.end <= after.end);
            }
        }
    }

    #[test]
    fn what_lies_on_both_sides_of_an_end_is_read_together() {
        let text = "A sentence of some length, and so on. ".repeat(60);
        let found = covering(&sentences(&text));
        let [before, between, after] = &found[..3] else { panic!("{found:?}") };
        assert!(between.start < before.end - 200 && between.end > after.start + 200, "{before:?}, {between:?}, {after:?}");
    }
}
