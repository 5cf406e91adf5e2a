use std::ops::Range;

/// A window ends once it has this many bytes.
const WINDOW: usize = 512;

/// What a classifier reads at once: runs of whole sentences of about half a kilobyte, of which each begins in the middle of the one before.
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

/// Runs of whole sentences of about half a kilobyte, one after another: what is read to know where windows need not be.
pub(super) fn runs(sentences: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut first = 0;
    while first < sentences.len() {
        let last = end(sentences, first);
        found.push(span(sentences, first..last));
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

    use super::{super::sentences::sentences, runs, windows};

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
        fn each_sentence_is_in_one_run_and_at_least_one_window(text in r"([a-z]{1,9}[ .\n] ?|[a-z ]{60,90}\. |\.{3} {20}){0,60}") {
            let sentences = sentences(&text);
            let (runs, windows) = (runs(&sentences), windows(&sentences));
            for sentence in &sentences {
                let holds = |run: &&std::ops::Range<usize>| run.start <= sentence.start && sentence.end <= run.end;
                prop_assert_eq!(runs.iter().filter(holds).count(), 1);
                prop_assert!(windows.iter().any(|window| holds(&window)));
            }
            prop_assert!(runs.iter().chain(&windows).all(|run| run.len() <= 512));
        }
    }
}
