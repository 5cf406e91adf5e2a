//! Where sentences begin and end.
//!
//! The bounds of Unicode Standard Annex 29 are the candidates: they know the stops of every script, decimals and file names. They also
//! end a sentence at each line end, after each `Dr.`, and nowhere between `**bold.**` and what follows, so candidates are added and
//! joined here by rules for hard-wrapped text, abbreviations, quotations, lists and the marks that Markdown leaves around a stop.

mod abbreviation;

use unicode_segmentation::UnicodeSegmentation;

use crate::Span;

/// The sentences of `text`, in order: trimmed of white space, not empty, not overlapping, and together holding every character that is
/// not white space.
///
/// A blank line ends a sentence and a single line end does not, except beside a list item, a heading, a table row, a code fence or a
/// rule, since Markdown and PDF text are hard-wrapped. List markers belong to the sentence that they introduce. The rules are those
/// of prose in English and, for stops, quotations and brackets, of Chinese and Japanese; other languages get the Unicode bounds.
/// Time is linear in the length.
///
/// ```
/// let text = "Dr. Ferris fixed v1.2.3 in main.rs. It now\nreads \"Done!\" as before.";
/// let found: Vec<_> = jarre_rag::sentences(text).into_iter().filter_map(|span| span.of(text)).collect();
/// assert_eq!(found, ["Dr. Ferris fixed v1.2.3 in main.rs.", "It now\nreads \"Done!\" as before."]);
/// ```
pub fn sentences(text: &str) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    for piece in pieces(text) {
        match found.last_mut() {
            Some(last) if goes_on(text, *last, piece.start) => last.end = piece.end,
            _ => found.push(piece),
        }
    }
    found
}

/// The text cut at every place where a sentence may end, trimmed; pieces of white space are left out.
fn pieces(text: &str) -> Vec<Span> {
    let standard = text.split_sentence_bound_indices().map(|(at, _)| before_openers(text, at));
    let mut cuts: Vec<usize> = standard.chain(cuts_after_marks(text)).chain([text.len()]).collect();
    cuts.sort_unstable();
    cuts.windows(2).filter_map(|pair| Span::new(pair[0], pair[1]).trimmed(text)).collect()
}

/// The standard counts opening brackets after a stop to the sentence that ends: they open the next one.
fn before_openers(text: &str, at: usize) -> usize {
    text[..at].trim_end_matches(is_opener).len()
}

/// The ends of white space after a stop that the standard does not see, because marks stand between, or because a number comes next.
fn cuts_after_marks(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices(char::is_whitespace).filter_map(|(at, _)| {
        let (before, after) = (&text[..at], text[at..].trim_start());
        let bare = without_closers(before);
        let unseen = bare.len() < before.len() && bare.ends_with(is_stop);
        let cuts = unseen || bare.ends_with('…') || (bare.ends_with('.') && after.starts_with(char::is_numeric));
        cuts.then(|| text.len() - after.len())
    })
}

/// Whether the sentence `last` goes on at `next`, the first character after it that is not white space.
fn goes_on(text: &str, last: Span, next: usize) -> bool {
    let (before, after) = (&text[last.start..last.end], &text[next..]);
    match Gap::of(&text[last.end..next]) {
        Gap::Paragraph => false,
        Gap::Line => !is_own_line(before, after) && (!without_closers(before).ends_with(is_stop) || is_within(before, after)),
        Gap::Space => is_within(before, after),
        Gap::None => is_glued(before, after),
    }
}

/// What stands between two pieces.
enum Gap {
    None,
    Space,
    Line,
    Paragraph,
}

impl Gap {
    fn of(white_space: &str) -> Self {
        let lines = white_space.chars().filter(|&c| is_line_end(c)).count() - white_space.matches("\r\n").count();
        match lines {
            _ if white_space.contains('\u{2029}') => Self::Paragraph,
            0 if white_space.is_empty() => Self::None,
            0 => Self::Space,
            1 => Self::Line,
            _ => Self::Paragraph,
        }
    }
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether the line that `before` ends with, or the one that `after` begins with, stands for itself in Markdown.
fn is_own_line(before: &str, after: &str) -> bool {
    if before.len() <= LONGEST_MARKER && is_blank_quote(before) {
        return false;
    }
    let (last, next) = (before.rsplit(is_line_end).next().unwrap_or(before), first_line(after));
    is_blank_quote(next) || is_marked_line(unquoted(last)) || is_marked_line(unquoted(next)) || begins_item(before, unquoted(next))
}

/// A line of a quotation with nothing in it: a blank line there.
fn is_blank_quote(line: &str) -> bool {
    line.starts_with('>') && unquoted(line).is_empty()
}

/// `line` without the marks of the quotations that it is in.
fn unquoted(line: &str) -> &str {
    line.trim_start_matches(|c: char| c == '>' || c.is_whitespace())
}

/// A heading, a table row, a fence or a rule.
fn is_marked_line(line: &str) -> bool {
    let hashes = line.len() - line.trim_start_matches('#').len();
    let is_heading = (1..=6).contains(&hashes) && line[hashes..].starts_with(char::is_whitespace);
    is_heading || line.starts_with('|') || line.starts_with("```") || line.starts_with("~~~") || is_rule(line)
}

fn is_rule(line: &str) -> bool {
    let line = line.trim_end();
    line.len() >= 3 && ['-', '=', '*', '_'].iter().any(|&mark| line.chars().all(|c| c == mark))
}

/// Whether `line` is an item of a list. A number other than 1 may also be the end of a wrapped line such as `in chapter / 12. Then`,
/// so it counts only after another item, a stop or a colon; `CommonMark` (section 5.2) draws the same line.
fn begins_item(before: &str, line: &str) -> bool {
    let Some(word) = line.split_whitespace().next().filter(|word| word.len() < line.len()) else { return false };
    let may_count = || {
        let first = before.char_indices().take(LONGEST_MARKER).find(|(_, c)| c.is_whitespace()).map(|(at, _)| &before[..at]);
        first.is_some_and(is_ordinal) || without_closers(before).ends_with(|c| is_stop(c) || c == ':')
    };
    is_bullet(word) || matches!(word, "1." | "1)") || (is_ordinal(word) && may_count())
}

/// What a marker fits in, in bytes; a bound on the search for one keeps the whole linear.
const LONGEST_MARKER: usize = 24;

fn first_line(text: &str) -> &str {
    text.split(is_line_end).next().unwrap_or(text)
}

fn is_bullet(word: &str) -> bool {
    matches!(word, "-" | "*" | "+" | "•" | "◦" | "▪" | "‣" | "●" | "○" | "■")
}

/// `1.`, `2)`, `(c)`, `iv.`, `3.1.`: a number or letter that counts what follows.
fn is_ordinal(word: &str) -> bool {
    let Some(label) = word.strip_suffix(['.', ')']) else { return false };
    let label = label.trim_start_matches('(');
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let is_letter = label.len() == 1 && label.bytes().all(|b| b.is_ascii_alphabetic());
    let is_roman = (1..=5).contains(&label.len()) && label.bytes().all(|b| matches!(b.to_ascii_lowercase(), b'i' | b'v' | b'x'));
    label.split('.').all(is_number) || is_letter || is_roman
}

/// Whether the stop at the end of `before`, with white space behind it, stands within a sentence.
fn is_within(before: &str, after: &str) -> bool {
    let is_row = before.starts_with('|');
    if is_row || is_marker(before) || after.starts_with([',', ';', ':', ')', ']', '}', '”', '»']) {
        return true;
    }
    let bare = without_closers(before);
    let is_enclosed = bare.len() < before.trim_end_matches(is_emphasis).len();
    let lower = after.trim_start_matches(|c| is_opener(c) || is_emphasis(c) || matches!(c, '"' | '\'')).starts_with(char::is_lowercase);
    match bare.chars().next_back() {
        Some('.') => lower || (!is_enclosed && !bare.ends_with("..") && abbreviation::abbreviates(bare, after)),
        Some('!' | '…') => lower,
        Some('?') => lower && is_enclosed,
        _ => false,
    }
}

/// Whether all of `sentence` is the marker of an item or the number of a heading.
fn is_marker(sentence: &str) -> bool {
    let is_short = sentence.len() <= LONGEST_MARKER;
    is_short
        && is_ordinal(
            sentence.trim_start_matches(|c: char| c.is_whitespace() || is_emphasis(c) || matches!(c, '#' | '>' | '-' | '+' | '•')),
        )
}

/// Whether a stop with no white space behind it stands within a sentence: in Latin script always (`a.b`, `x?y=z`), in the scripts that
/// write no spaces only where a quotation is followed by the Japanese particle that takes it up.
fn is_glued(before: &str, after: &str) -> bool {
    let stop = without_closers(before).chars().next_back();
    let is_quoted = before.ends_with(['」', '』', '）', '”']) && after.starts_with(|c| ('ぁ'..='ゟ').contains(&c));
    is_quoted || stop.is_none_or(|c| c.is_ascii() || c == '…')
}

/// `text` without the quotes, brackets, emphasis and citation numbers at its end.
fn without_closers(text: &str) -> &str {
    let mut bare = text;
    loop {
        let shorter = without_citation(bare).trim_end_matches(|c| is_closer(c) && c != ']');
        if shorter.len() == bare.len() {
            return bare.trim_end_matches(is_closer);
        }
        bare = shorter;
    }
}

/// `text` without one `[12]` or `[3, 4-6]` at its end.
fn without_citation(text: &str) -> &str {
    let Some(open) = text.strip_suffix(']') else { return text };
    let numbers = open.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ',' | '-' | '–' | ' '));
    if numbers.len() < open.len() { numbers.strip_suffix('[').unwrap_or(text) } else { text }
}

fn is_stop(c: char) -> bool {
    matches!(
        c,
        '.' | '!'
            | '?'
            | '…'
            | '。'
            | '！'
            | '？'
            | '｡'
            | '．'
            | '।'
            | '॥'
            | '؟'
            | '۔'
            | '։'
            | '።'
            | '။'
            | '។'
            | '‼'
            | '⁇'
            | '⁈'
            | '⁉'
    )
}

fn is_emphasis(c: char) -> bool {
    matches!(c, '*' | '_' | '`' | '~')
}

fn is_closer(c: char) -> bool {
    is_emphasis(c)
        || matches!(c, ')' | ']' | '}' | '"' | '\'' | '”' | '’' | '»' | '›')
        || matches!(c, '」' | '』' | '）' | '】' | '》' | '〉' | '〕' | '］' | '｝' | '｣')
}

fn is_opener(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '“' | '‘' | '«' | '‹' | '„' | '‚' | '¿' | '¡')
        || matches!(c, '「' | '『' | '（' | '【' | '《' | '〈' | '〔' | '［' | '｛' | '｢')
}
