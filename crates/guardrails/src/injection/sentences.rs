use std::ops::Range;

use crate::scan::boundary_before;

/// The most bytes of a sentence; what goes on is another.
const LONGEST: usize = 480;

/// The sentences of `text`: they end at a line's end, and at a full stop, question mark or exclamation mark that white space follows, or that
/// is one of scripts without spaces. None is empty or begins or ends with white space.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let limit = boundary_before(text, start + LONGEST);
        let end = end_of(&text[start..limit])
            .map_or_else(|| if limit == text.len() { limit } else { space_before(text, start, limit) }, |end| start + end);
        let sentence = &text[start..end];
        let trimmed = sentence.trim_start();
        let from = end - trimmed.len();
        let to = from + trimmed.trim_end().len();
        if from < to {
            found.push(from..to);
        }
        start = end;
    }
    found
}

/// Where the first sentence ends, if it does.
fn end_of(text: &str) -> Option<usize> {
    let spaced = |at: usize| text[at..].chars().next().is_some_and(char::is_whitespace);
    let mut at = 0;
    loop {
        at += text.as_bytes()[at..].iter().position(|byte| matches!(byte, b'\n' | b'.' | b'!' | b'?' | 0x80..))?;
        match text.as_bytes()[at] {
            b'\n' => return Some(at + 1),
            b'.' | b'!' | b'?' if spaced(at + 1) && !is_item(&text[..at]) => return Some(at + 1),
            0x80.. => {
                let char = text[at..].chars().next()?;
                at += char.len_utf8();
                if matches!(char, '。' | '！' | '？' | '।') {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
}

/// Whether this is the number of a list's item, which is no sentence.
fn is_item(text: &str) -> bool {
    let text = text.trim_start();
    text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The end of the last word that ends before `limit`, or `limit` where one word is as long as that.
fn space_before(text: &str, start: usize, limit: usize) -> usize {
    text[start..limit].rfind(' ').filter(|&space| space > LONGEST / 2).map_or(limit, |space| start + space)
}

#[cfg(test)]
mod tests {
    use super::sentences;

    fn cut(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|span| &text[span]).collect()
    }

    #[test]
    fn sentences_end_where_they_do() {
        assert_eq!(
            cut("One. Two?  Three!\n\n1. Four v1.2 is\nfive。六！"),
            ["One.", "Two?", "Three!", "1. Four v1.2 is", "five。", "六！"]
        );
        assert_eq!(cut(" \n "), Vec::<&str>::new());
    }

    #[test]
    fn a_sentence_without_end_is_cut_between_words() {
        let text = "word ".repeat(300);
        assert!(cut(&text).iter().all(|sentence| sentence.len() <= 480 && sentence.ends_with("word")));
        let text = "é".repeat(3000);
        assert_eq!(cut(&text).concat(), text);
    }
}
