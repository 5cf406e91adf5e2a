use std::ops::Range;

/// Marks that end a sentence without a space behind them.
const WIDE: [char; 3] = ['。', '！', '？'];
/// What a full stop shortens; sentences go on after it.
const SHORTENED: [&str; 16] = ["mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "no", "vs", "etc", "approx", "fig", "inc", "ltd", "ca"];

/// The places of the sentences of `text`: lines end them, and full stops, question and exclamation marks with space behind them.
pub(super) fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut ended = false;
    for (at, character) in text.char_indices() {
        let after_wide = text[..at].ends_with(WIDE);
        if character == '\n' || (ended && (character.is_whitespace() || after_wide)) {
            found.extend(trimmed(text, start..at));
            (start, ended) = (at, false);
        } else {
            ended = match character {
                '.' => !shortens(&text[start..at]),
                '!' | '?' => true,
                '"' | '\'' | ')' | ']' | '”' | '’' => ended,
                other => WIDE.contains(&other),
            };
        }
    }
    found.extend(trimmed(text, start..text.len()));
    found
}

/// The place without white space at its ends, where anything is said there.
fn trimmed(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let sentence = &text[span.clone()];
    let start = span.start + sentence.len() - sentence.trim_start().len();
    sentence.contains(char::is_alphanumeric).then(|| start..start + sentence.trim().len())
}

fn shortens(before: &str) -> bool {
    let word = before.rsplit(|character: char| !character.is_alphanumeric()).next().unwrap_or_default();
    let is_initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    is_initial || SHORTENED.iter().any(|shortened| word.eq_ignore_ascii_case(shortened))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        let cases: [(&str, &[&str]); 5] = [
            ("It rains. Does it? \"Yes!\" he said.", &["It rains.", "Does it?", "\"Yes!\"", "he said."]),
            ("Dr. A. Hill paid 3.5 euros. He left", &["Dr. A. Hill paid 3.5 euros.", "He left"]),
            ("- one\n- two\n\n--\n", &["- one", "- two"]),
            ("雨。晴！", &["雨。", "晴！"]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            let found: Vec<&str> = sentences(text).into_iter().map(|span| &text[span]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
