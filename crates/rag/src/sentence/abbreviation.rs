//! Which stops belong to an abbreviation and not to the end of a sentence.

/// Whether the full stop that `before` ends with marks an abbreviation within a sentence that `after` goes on with.
pub(super) fn abbreviates(before: &str, after: &str) -> bool {
    let stopless = before.strip_suffix('.').unwrap_or(before);
    let word = last_word(stopless);
    let capital = word.starts_with(char::is_uppercase);
    let folded = word.to_lowercase();
    let is_in = |list: &[&str]| list.contains(&folded.as_str());
    if is_in(&NEVER_LAST) || (capital && is_in(&TITLES)) {
        return true;
    }
    if is_in(&NUMBERED) {
        return is_numbering(after, capital);
    }
    if DATING.contains(&word) {
        return is_dating(&stopless[..stopless.len() - word.len()], word, after);
    }
    let may_be_last = is_initial(word) || is_dotted(word) || is_in(&MAY_BE_LAST) || (capital && is_in(&MONTHS));
    may_be_last && !begins_sentence(after)
}

/// Followed by more of the sentence, whatever it is.
const NEVER_LAST: [&str; 15] = ["approx", "bzw", "ca", "cf", "e.g", "eg", "esp", "i.e", "ie", "incl", "resp", "v", "viz", "vs", "vgl"];

/// Followed by a name; only with a capital, since `rep.`, `gen.` and others are words too.
const TITLES: [&str; 30] = [
    "adm", "capt", "cdr", "cmdr", "col", "cpl", "dr", "fr", "gen", "gov", "hon", "lt", "maj", "messrs", "mlle", "mme", "mr", "mrs", "ms",
    "msgr", "mx", "pres", "prof", "pvt", "rep", "rev", "sen", "sgt", "supt", "ven",
];

/// Followed by a number or a letter that counts something.
const NUMBERED: [&str; 28] = [
    "al", "alg", "app", "art", "ch", "chap", "cl", "def", "eq", "eqn", "eqs", "eqns", "fig", "figs", "no", "nos", "nr", "p", "para", "pp",
    "ref", "refs", "sec", "sect", "tab", "thm", "vol", "vols",
];

/// Followed by a year: born, circa, died, flourished, married, reigned.
const DATING: [&str; 6] = ["b", "c", "d", "fl", "m", "r"];

/// Can end a sentence, and can stand before a name within one.
const MAY_BE_LAST: [&str; 27] = [
    "assn", "ave", "blvd", "bros", "co", "corp", "dept", "dist", "ed", "eds", "est", "ft", "hwy", "inc", "jr", "ltd", "mfg", "mt", "mts",
    "natl", "nat", "rd", "sr", "st", "ste", "str", "univ",
];

/// The names of months, shortened.
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"];

/// Words that, with a capital, almost always begin a sentence; a name rarely starts with them.
const STARTERS: [&str; 97] = [
    "A", "About", "After", "All", "Also", "Although", "An", "And", "Another", "Any", "As", "At", "Because", "Before", "Both", "But", "By",
    "Can", "Do", "Does", "During", "Each", "Either", "Every", "Few", "Finally", "First", "For", "From", "Had", "Has", "Have", "He", "Her",
    "Here", "His", "How", "However", "I", "If", "In", "Instead", "Is", "It", "Its", "Later", "Let", "Many", "More", "Most", "My",
    "Neither", "Next", "No", "Not", "Note", "Now", "Of", "On", "Once", "One", "Only", "Or", "Other", "Our", "Over", "See", "She", "Since",
    "So", "Some", "Such", "Than", "That", "The", "Their", "Then", "There", "These", "They", "This", "Those", "Though", "Through", "Thus",
    "To", "Under", "Until", "We", "What", "When", "Where", "Which", "While", "Who", "With", "You",
];

/// The characters that the longest known abbreviation fits in; a longer word is none.
const LONGEST_WORD: usize = 24;

/// How many characters before the end of a text an open bracket is looked for.
const LONGEST_BRACKET: usize = 64;

fn last_word(text: &str) -> &str {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '&');
    let length: usize = text.chars().rev().take(LONGEST_WORD).take_while(|&c| is_part(c)).map(char::len_utf8).sum();
    &text[text.len() - length..]
}

/// `J` of `J. R. R. Tolkien`.
fn is_initial(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_none()
}

/// `U.S`, `a.m`, `Ph.D`, `J.-P`: runs of one or two letters parted by stops.
fn is_dotted(word: &str) -> bool {
    let is_short = |part: &str| (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphabetic);
    word.contains('.') && word.split('.').all(|part| is_short(part.trim_start_matches('-')))
}

/// `5`, `(2019)`, `[12]`, `IV`: what a counted thing is followed by; a single letter only after `Fig.` with its capital.
fn is_numbering(after: &str, capital: bool) -> bool {
    let bare = after.trim_start_matches(['(', '[', '*', '_', '`', '#', '$']);
    let word = first_word(bare);
    let is_letter = word.chars().count() == 1 && word.starts_with(char::is_uppercase) && word != "I";
    let is_roman = word.len() > 1 && word.bytes().all(|b| matches!(b, b'I' | b'V' | b'X' | b'L' | b'C'));
    bare.starts_with(char::is_numeric) || is_roman || (is_letter && capital)
}

/// Whether `word`, one of [`DATING`], dates something: `c. 1500` anywhere, `(r. 814–840)` and `(b. May 1950; d. 2001)` in brackets only,
/// since a sentence may end with `part d.`.
fn is_dating(before: &str, word: &str, after: &str) -> bool {
    before.ends_with(['(', '[']) || (after.starts_with(char::is_numeric) && (word == "c" || is_in_bracket(before)))
}

/// Whether `text` ends inside a bracket that was opened not long before.
fn is_in_bracket(text: &str) -> bool {
    let nearest = text.chars().rev().take(LONGEST_BRACKET).find(|c| matches!(c, '(' | '[' | ')' | ']'));
    nearest.is_some_and(|c| matches!(c, '(' | '['))
}

fn begins_sentence(after: &str) -> bool {
    let bare = after.trim_start_matches(|c| super::is_opener(c) || matches!(c, '*' | '_' | '"' | '\''));
    let word = first_word(bare);
    STARTERS.binary_search(&word).is_ok() && !bare[word.len()..].starts_with('.')
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starters_are_sorted_for_the_search() {
        assert!(STARTERS.is_sorted());
    }

    #[test]
    fn a_dotted_word_has_short_parts_only() {
        assert!(["U.S", "a.m", "Ph.D", "J.-P", "J.R.R"].into_iter().all(is_dotted));
        assert!(!["Cargo.toml", "1.5", "US", "Node.js", ""].into_iter().any(is_dotted));
    }
}
