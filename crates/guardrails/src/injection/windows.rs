use std::ops::Range;

/// A window ends once it has this many bytes.
const WINDOW: usize = 512;

/// What a classifier reads at once: runs of whole sentences of about half a kilobyte, of which each begins in the middle of the one before.
pub fn windows(sentences: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut first = 0;
    while first < sentences.len() {
        let start = sentences[first].start;
        let last = first + sentences[first..].iter().take_while(|sentence| sentence.end - start <= WINDOW).count().max(1);
        let end = sentences[last - 1].end;
        found.push(start..end);
        if last == sentences.len() {
            break;
        }
        let middle = sentences[first + 1..last].partition_point(|sentence| sentence.start < start + (end - start) / 2);
        first = first + 1 + middle.min(last - first - 1);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{super::sentences::sentences, windows};

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
}
