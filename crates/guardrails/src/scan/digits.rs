//! Where enough digits stand close together for a number.

use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind};

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

/// The places of the digits of ASCII in a text, from some place on.
#[derive(Clone, Debug, Default)]
pub(super) struct Digits(Vec<usize>);

impl Digits {
    pub(super) fn of(text: &str, from: usize) -> Self {
        let places = text.as_bytes()[from..].iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit());
        Self(places.map(|(at, _)| from + at).collect())
    }

    /// The next places from `at` on where something may begin that has `count` digits within `length` bytes: nothing does before them.
    pub(super) fn starts(&self, at: usize, count: usize, length: usize) -> Option<Range<usize>> {
        let close = |first: usize| Some((self.0[first], *self.0.get(first + count - 1)?)).filter(|(first, last)| last - first < length);
        let from = self.0.partition_point(|&digit| digit < at);
        let first = (from..self.0.len()).find(|&first| close(first).is_some())?;
        let start = at.max((close(first)?.1 + 1).saturating_sub(length));
        // Those that follow at once are looked at together.
        let mut last = first;
        while last + 1 < self.0.len() && close(last + 1).is_some() && self.0[last + 1] - self.0[last] < length {
            last += 1;
        }
        Some(start..self.0[last] + 1)
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
            let digits = Digits::of(text, 0);
            let begins = |at: usize| {
                let end = text.len().min(at + length);
                text.as_bytes()[at..end].iter().filter(|byte| byte.is_ascii_digit()).count() >= count
            };
            let (mut at, mut found) = (0, vec![false; text.len()]);
            while let Some(places) = digits.starts(at, count, length) {
                assert!(places.start >= at && places.end > at, "{places:?} from {at}");
                found[places.clone()].fill(true);
                at = places.end;
            }
            assert!((0..text.len()).all(|at| found[at] || !begins(at)), "{count} within {length}: {found:?}");
        }
    }
}
