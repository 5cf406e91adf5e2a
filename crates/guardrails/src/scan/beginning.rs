//! What can be said of a match before its text is complete.

use std::sync::Arc;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// What each beginning of a match of `whole` matches, the empty one and the complete one among them.
///
/// An assertion at the end of a beginning looks at text that is not there yet, so it counts as met: this matches too much rather than too little.
pub(super) fn beginnings(whole: &Hir) -> Hir {
    match whole.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => literal_beginnings(&literal.0),
        HirKind::Class(_) => optional(whole.clone()),
        HirKind::Repetition(repeated) => {
            let before = repeated.max.map(|max| max.saturating_sub(1));
            let before = Repetition { min: 0, max: before, greedy: true, sub: repeated.sub.clone() };
            Hir::concat(vec![Hir::repetition(before), beginnings(&repeated.sub)])
        }
        HirKind::Capture(capture) => beginnings(&capture.sub),
        HirKind::Concat(parts) => parts
            .iter()
            .rev()
            .fold(Hir::empty(), |rest, part| Hir::alternation(vec![Hir::concat(vec![part.clone(), rest]), beginnings(part)])),
        HirKind::Alternation(branches) => Hir::alternation(branches.iter().map(beginnings).collect()),
    }
}

fn literal_beginnings(literal: &[u8]) -> Hir {
    let text = str::from_utf8(literal).expect("a pattern over text has text for literals");
    text.chars().rev().fold(Hir::empty(), |rest, first| {
        let first = Hir::literal(first.to_string().into_bytes());
        optional(Hir::concat(vec![first, rest]))
    })
}

fn optional(sub: Hir) -> Hir {
    Hir::repetition(Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(sub) })
}

/// The text that every match of `whole` begins with, where that is a literal.
pub(super) fn lead(whole: &Hir) -> Option<Arc<str>> {
    match whole.kind() {
        HirKind::Literal(literal) => str::from_utf8(&literal.0).ok().map(Arc::from),
        HirKind::Capture(capture) => lead(&capture.sub),
        HirKind::Concat(parts) => lead(parts.iter().find(|part| !matches!(part.kind(), HirKind::Look(_)))?),
        _ => None,
    }
}

/// The first place of `text` where `lead` stands, or where the text ends within it; the end of the text where there is none.
pub(super) fn begun(text: &str, lead: &str) -> usize {
    let cut = |length: usize| lead.is_char_boundary(length) && text.ends_with(&lead[..length]);
    text.find(lead).unwrap_or_else(|| text.len() - (1..lead.len()).rev().find(|&length| cut(length)).unwrap_or(0))
}

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes([u64; 4]);

impl Bytes {
    /// The bytes of `text`.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut seen = [false; 256];
        for &byte in text {
            seen[usize::from(byte)] = true;
        }
        let mut set = Self::default();
        (0..=255).filter(|&byte| seen[usize::from(byte)]).for_each(|byte| set.insert(byte));
        set
    }

    fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte / 64)] |= 1 << (byte % 64);
    }

    fn union(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }

    fn len(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// Whether the two share a byte.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0.iter().zip(other.0).any(|(mine, theirs)| mine & theirs != 0)
    }
}

/// Sets of bytes of each of which every match of `whole` has a byte, the smallest first.
pub(super) fn needed(whole: &Hir) -> Vec<Bytes> {
    let mut needed = match whole.kind() {
        HirKind::Empty | HirKind::Look(_) => Vec::new(),
        HirKind::Literal(literal) => literal.0.iter().map(|&byte| Bytes::of(&[byte])).collect(),
        HirKind::Class(class) => vec![class_bytes(class)],
        HirKind::Repetition(repeated) if repeated.min == 0 => Vec::new(),
        HirKind::Repetition(repeated) => needed(&repeated.sub),
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(needed).collect(),
        HirKind::Alternation(branches) => {
            let smallest: Option<Vec<Bytes>> = branches.iter().map(|branch| needed(branch).first().copied()).collect();
            smallest.map(|sets| sets.into_iter().fold(Bytes::default(), Bytes::union)).into_iter().collect()
        }
    };
    needed.sort_by_key(|set| (set.len(), set.0));
    needed.dedup();
    needed.truncate(4);
    needed
}

fn class_bytes(class: &Class) -> Bytes {
    let mut set = Bytes::default();
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
        Class::Bytes(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    for (start, end) in ranges {
        (start..=end.min(127)).for_each(|byte| set.insert(byte as u8));
        // Any byte of a longer character may stand for one.
        if end > 127 {
            (128..=255).for_each(|byte| set.insert(byte));
        }
    }
    set
}
