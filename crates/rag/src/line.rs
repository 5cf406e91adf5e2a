//! Where lines begin and end.

use crate::Span;

/// The lines of `text`, trimmed of white space; blank ones are left out.
pub(crate) fn lines(text: &str) -> Vec<Span> {
    let mut start = 0;
    let all = text.split_inclusive('\n').map(|line| {
        start += line.len();
        Span::new(start - line.len(), start)
    });
    all.filter_map(|line| line.trimmed(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_trimmed_and_blank_ones_left_out() {
        let text = "| a |\n\n  | b |\r\n";
        let found: Vec<_> = lines(text).into_iter().filter_map(|span| span.of(text)).collect();
        assert_eq!(found, ["| a |", "| b |"]);
    }
}
