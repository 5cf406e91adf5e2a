//! Where enough digits stand close together for a number, with nothing between them that the number cannot have.

use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind};

/// Kinds of bytes that are no digits, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds(u16);

/// The digits of ASCII that every match of `whole` has at least.
pub(super) fn least(whole: &Hir) -> usize {
    match whole.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.iter().filter(|byte| byte.is_ascii_digit()).count(),
        HirKind::Class(class) => usize::from(is_digit(class)),
        HirKind::Repetition(repeated) => (repeated.min as usize).saturating_mul(least(&repeated.sub)),
        HirKind::Capture(capture) => least(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(least).fold(0, usize::saturating_add),
        HirKind::Alternation(branches) => branches.iter().map(least).min().unwrap_or(0),
    }
}

fn is_digit(class: &Class) -> bool {
    let within = |start: u32, end: u32| start >= u32::from(b'0') && end <= u32::from(b'9');
    match class {
        Class::Unicode(class) => class.iter().all(|range| within(range.start().into(), range.end().into())),
        Class::Bytes(class) => class.iter().all(|range| within(range.start().into(), range.end().into())),
    }
}

/// What stands between the first [`least`] digits of a match of `whole`, at most.
pub(super) fn between(whole: &Hir) -> Kinds {
    match whole.kind() {
        HirKind::Capture(capture) => between(&capture.sub),
        HirKind::Alternation(branches) => branches.iter().map(between).fold(Kinds::default(), Kinds::or),
        HirKind::Concat(parts) => {
            // What follows the last part that must have digits follows them all.
            let last = parts.iter().rposition(|part| least(part) > 0).unwrap_or(parts.len() - 1);
            parts[..last].iter().map(anywhere).fold(between(&parts[last]), Kinds::or)
        }
        _ => anywhere(whole),
    }
}

/// What stands anywhere in a match of `whole`, at most.
fn anywhere(whole: &Hir) -> Kinds {
    match whole.kind() {
        HirKind::Empty | HirKind::Look(_) => Kinds::default(),
        HirKind::Literal(literal) => literal.0.iter().map(|&byte| Kinds::of(byte)).fold(Kinds::default(), Kinds::or),
        HirKind::Class(Class::Unicode(class)) => {
            class.iter().map(|range| Kinds::within(range.start().into(), range.end().into())).fold(Kinds::default(), Kinds::or)
        }
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().map(|range| Kinds::within(range.start().into(), range.end().into())).fold(Kinds::default(), Kinds::or)
        }
        HirKind::Repetition(repeated) => anywhere(&repeated.sub),
        HirKind::Capture(capture) => anywhere(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().map(anywhere).fold(Kinds::default(), Kinds::or),
    }
}

/// The kind of each byte.
static KINDS: [Kinds; 256] = {
    let (mut kinds, mut byte) = ([Kinds(0); 256], 0);
    while byte < 256 {
        kinds[byte] = Kinds::told(byte as u8);
        byte += 1;
    }
    kinds
};

impl Kinds {
    fn of(byte: u8) -> Self {
        KINDS[usize::from(byte)]
    }

    const fn told(byte: u8) -> Self {
        let bit = match byte {
            b'0'..=b'9' => return Self(0),
            b' ' => 0,
            b'-' => 1,
            b'.' => 2,
            b'/' => 3,
            b',' => 4,
            b':' => 5,
            b'(' | b')' => 6,
            b'a'..=b'z' => 7,
            b'A'..=b'Z' => 8,
            b'\n' | b'\r' | b'\t' => 9,
            0..=127 => 10,
            128.. => 11,
        };
        Self(1 << bit)
    }

    /// The kinds of the characters from `start` to `end`.
    fn within(start: u32, end: u32) -> Self {
        let bytes = (start..=end.min(128)).map(|character| Self::of(character as u8));
        bytes.fold(if end > 127 { Self::of(128) } else { Self::default() }, Self::or)
    }

    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn has(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }
}

/// The digits of ASCII in a text, from some place on: where each stands, and what stands between it and the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct Digits(Vec<(usize, Kinds)>);

impl Digits {
    pub(super) fn of(text: &str, from: usize) -> Self {
        let (mut digits, mut before) = (Vec::new(), Kinds::default());
        for (at, byte) in text.bytes().enumerate().skip(from) {
            before = before.or(Kinds::of(byte));
            if byte.is_ascii_digit() {
                digits.push((at, std::mem::take(&mut before)));
            }
        }
        Self(digits)
    }

    /// The next places from `at` on where something may begin that has `count` digits within `length` bytes, and nothing but digits and
    /// `between` from the first to the last of them: nothing does before them.
    pub(super) fn starts(&self, at: usize, count: usize, length: usize, between: Kinds) -> Option<Range<usize>> {
        let place = |index: usize| self.0[index].0;
        let close = |first: usize| {
            let [(start, _), rest @ ..] = self.0.get(first..first + count)? else { return None };
            let last = rest.last().map_or(*start, |last| last.0);
            (last - start < length && rest.iter().all(|(_, before)| between.has(*before))).then_some(last)
        };
        let from = self.0.partition_point(|&(digit, _)| digit < at);
        let (first, last) = (from..self.0.len()).find_map(|first| Some((first, close(first)?)))?;
        let start = at.max((last + 1).saturating_sub(length));
        // Those that follow at once are looked at together.
        let mut end = first;
        while end + 1 < self.0.len() && close(end + 1).is_some() && place(end + 1) - place(end) < length {
            end += 1;
        }
        Some(start..place(end) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_match_has_so_many_digits() {
        let of = |regex: &str| least(&regex_syntax::parse(regex).unwrap());
        for (regex, digits) in [
            ("[0-9]{3}[- ]?[0-9]{2}", 5),
            ("(?:[0-9]{4}|x[0-9]2)7", 3),
            (r"\d{4}", 0),
            ("[0-9a]{9}", 0),
            ("(?:[0-9] ?){2,4}[3-5]?", 2),
            ("a{2}", 0),
        ] {
            assert_eq!(of(regex), digits, "{regex}");
        }
    }

    #[test]
    fn nothing_begins_before_the_places_and_all_begin_within() {
        let text = "1 22 a 333 and 4444 55555, then 6 7 8 9 and a long word 10 20 30";
        for (count, length) in [(3, 3), (4, 6), (5, 5), (4, 12), (2, 2), (9, 12)] {
            for allowed in ["", " ", "a ", ", ab"] {
                let digits = Digits::of(text, 0);
                let between = allowed.bytes().map(Kinds::of).fold(Kinds::default(), Kinds::or);
                let begins = |at: usize| {
                    let seen = &text.as_bytes()[at..text.len().min(at + length)];
                    let digits: Vec<usize> = (0..seen.len()).filter(|&at| seen[at].is_ascii_digit()).collect();
                    let inner = |wanted: &[usize]| seen[wanted[0]..=wanted[count - 1]].iter().all(|&byte| between.has(Kinds::of(byte)));
                    digits.windows(count).next().is_some_and(inner)
                };
                let (mut at, mut found) = (0, vec![false; text.len()]);
                while let Some(places) = digits.starts(at, count, length, between) {
                    assert!(places.start >= at && places.end > at, "{places:?} from {at}");
                    found[places.clone()].fill(true);
                    at = places.end;
                }
                assert!((0..text.len()).all(|at| found[at] || !begins(at)), "{count} within {length}, {allowed:?}: {found:?}");
            }
        }
    }

    #[test]
    fn places_with_something_else_between_digits_are_passed_over() {
        let text = "12.5 | 34.75 | 1 900 | 555-123-4567 | 9.9";
        let between = between(&regex_syntax::parse("[0-9]{3}-?[0-9]{3}-?[0-9]{4}(?:[.:]?[0-9])?").unwrap());
        let digits = Digits::of(text, 0);
        let places = digits.starts(0, 10, 16, between).unwrap();
        assert!(places.contains(&text.find("555").unwrap()), "{places:?}");
        assert_eq!(digits.starts(places.end, 10, 16, between), None);
    }

    #[test]
    fn what_stands_between_digits_is_what_stands_before_the_last_part_that_has_some() {
        let of = |regex: &str| between(&regex_syntax::parse(regex).unwrap());
        let kinds = |text: &str| text.bytes().map(Kinds::of).fold(Kinds::default(), Kinds::or);
        for (regex, expected) in [
            ("[0-9]{3}[- ][0-9]{2}[.]?x?", "- "),
            ("(?-u:\\b)[A-Z]{2}[0-9]{2}(?: ?[0-9]{4}){3}[a-z]?", "A "),
            ("(?:[0-9]/[0-9]|[0-9]:[0-9])(?:,[0-9])?", "/:"),
            ("[0-9][é-ü][0-9]", "é"),
            ("[0-9]{4}", ""),
        ] {
            assert_eq!(of(regex), kinds(expected), "{regex}");
        }
    }
}
