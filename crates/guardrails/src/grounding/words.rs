use crate::fnv::Fnv;

/// Letters of a word that are compared: endings differ, and what is meant seldom does.
const STEM: usize = 6;

/// A word of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Of its first letters in lower case; of a number, of all its digits.
    pub(super) stem: u64,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It holds sentences together.
    Function,
    /// It says that something is not so.
    Negation,
    Number,
    /// It is written with a capital, and not because a sentence begins.
    Name,
    Content,
}

/// The words of a text, whose first one begins a sentence.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(char::is_alphanumeric).map(|start| at + start) {
        let end = end_of_word(text, start);
        words.push(word(&text[start..end], words.is_empty()));
        at = end;
    }
    words
}

/// Apostrophes belong to words, points and commas between digits to numbers; ideographs stand alone.
fn end_of_word(text: &str, start: usize) -> usize {
    let mut before = ' ';
    let mut characters = text[start..].char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map_or(' ', |(_, next)| *next);
        let joins = match character {
            '\'' | '’' => before.is_alphabetic() && next.is_alphabetic(),
            '.' | ',' => before.is_numeric() && next.is_numeric(),
            other => other.is_alphanumeric() && !(at > 0 && is_ideograph(before)) && !(at > 0 && is_ideograph(other)),
        };
        if !joins {
            return start + at;
        }
        before = character;
    }
    text.len()
}

fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

fn word(written: &str, first: bool) -> Word {
    let lower = written.to_lowercase().replace('’', "'");
    if written.starts_with(char::is_numeric) {
        let digits: String = lower.chars().filter(|character| *character != ',').collect();
        return Word { stem: Fnv::of(&digits), kind: Kind::Number };
    }
    let plain = lower.strip_suffix("'s").unwrap_or(&lower);
    let kind = if NEGATIONS.contains(&plain) || plain.ends_with("n't") {
        Kind::Negation
    } else if FUNCTION.contains(&plain) {
        Kind::Function
    } else if !first && written.starts_with(char::is_uppercase) {
        Kind::Name
    } else {
        Kind::Content
    };
    let end = plain.char_indices().nth(STEM).map_or(plain.len(), |(end, _)| end);
    Word { stem: Fnv::of(&plain[..end]), kind }
}

const NEGATIONS: [&str; 12] =
    ["not", "no", "never", "neither", "nor", "none", "nobody", "nothing", "without", "cannot", "hardly", "unlike"];

const FUNCTION: [&str; 92] = [
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been", "being", "both", "but", "by", "can",
    "could", "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if", "in", "into", "is",
    "it", "its", "may", "me", "might", "more", "most", "my", "of", "on", "or", "other", "our", "she", "should", "so", "some", "such",
    "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "through", "to", "too", "up", "us", "very",
    "was", "we", "were", "what", "when", "where", "which", "while", "who", "whom", "whose", "why", "will", "with", "would", "yes", "you",
    "your", "yours",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let kinds: Vec<Kind> = words("Mills aren't in Rome’s 1,907.5 hills.").into_iter().map(|word| word.kind).collect();
        assert_eq!(kinds, [Kind::Content, Kind::Negation, Kind::Function, Kind::Name, Kind::Number, Kind::Content]);
        assert_eq!(words("1,000")[0], words("1000")[0]);
        assert_eq!(words("Rome's")[0].stem, words("rome")[0].stem);
        assert_eq!(words("東京 is").len(), 3);
    }
}
