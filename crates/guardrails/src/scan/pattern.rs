use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use regex::{Regex, RegexBuilder};

use super::{
    announced::Announcing,
    beginning::{Bytes, beginnings, begun, lead, needed},
    boundary_before,
    digits::{Digits, Kinds, between, least},
};
use crate::{Error, Result};

/// The longest that a pattern may match, in bytes.
const LONGEST: usize = 16 * 1024;
/// What a pattern may see of the text before a match, in bytes.
pub(super) const BEFORE: usize = 64;
/// What an assertion at the end of a match may look at: a character.
const ASSERTION: usize = 4;
/// From so many digits on a pattern is looked for only where they are: fewer stand in most places.
const MANY_DIGITS: usize = 4;

type Accept = dyn Fn(&Seen<'_>) -> Option<f32> + Send + Sync;

/// A regular expression whose matches have a greatest length, and what a match has to pass beside.
#[derive(Clone)]
pub struct Pattern {
    pub(super) label: Cow<'static, str>,
    pub(super) regex: Regex,
    pub(super) reach: usize,
    /// What a match that is not complete at the end of the text matches.
    unfinished: Regex,
    needed: Arc<[Bytes]>,
    /// The digits of ASCII that every match has at least.
    digits: usize,
    /// What may stand between those.
    between: Kinds,
    /// What every match begins with.
    lead: Option<Arc<str>>,
    /// The words of which one stands before every match that is taken.
    announcing: Option<Announcing>,
    capturing: bool,
    accept: Option<Arc<Accept>>,
}

/// A match, and what stands before it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The match.
    pub text: &'a str,
    /// At most 64 bytes of the text before it.
    pub before: &'a str,
}

impl<'a> Seen<'a> {
    /// The match `span` of `text`.
    pub(super) fn at(text: &'a str, span: Range<usize>) -> Self {
        let mut start = span.start.saturating_sub(BEFORE);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        Self { text: &text[span.clone()], before: &text[start..span.start] }
    }
}

impl Pattern {
    /// Finds what `regex` matches.
    ///
    /// # Errors
    /// [`Error::Pattern`] where it is no regular expression, can match nothing at all, or has no greatest length: write `{1,64}` in the place of `+`.
    pub fn new(label: impl Into<Cow<'static, str>>, regex: &str) -> Result<Self> {
        let label = label.into();
        let fail = |reason: String| Error::Pattern { label: label.to_string(), reason };
        let syntax = regex_syntax::parse(regex).map_err(|error| fail(error.to_string()))?;
        if syntax.properties().minimum_len().is_none_or(|least| least == 0) {
            return Err(fail("it matches the empty text".into()));
        }
        let longest = syntax.properties().maximum_len().filter(|&longest| longest <= LONGEST);
        let longest = longest.ok_or_else(|| fail(format!("its matches have no end within {LONGEST} bytes, bound every repetition")))?;
        let compile = |regex: &str| RegexBuilder::new(regex).size_limit(16 << 20).build().map_err(|error| fail(error.to_string()));
        let unfinished = compile(&format!(r"(?:{})\z", beginnings(&syntax)))?;
        Ok(Self {
            regex: compile(regex)?,
            reach: longest + ASSERTION,
            unfinished,
            needed: needed(&syntax).into(),
            digits: least(&syntax),
            between: between(&syntax),
            lead: lead(&syntax),
            announcing: None,
            capturing: false,
            accept: None,
            label,
        })
    }

    /// Finds what the first group of the regular expression matches, in the place of the whole match. Where it takes no part, that is no match.
    pub fn capturing(mut self) -> Self {
        self.capturing = true;
        self
    }

    /// Takes a match only where `accept` gives it a score.
    pub fn accepting(mut self, accept: impl Fn(&Seen<'_>) -> Option<f32> + Send + Sync + 'static) -> Self {
        self.accept = Some(Arc::new(accept));
        self
    }

    /// Looks only where one of `words` begins in what a match sees of the text before it: for what is taken nowhere else. They are read in any
    /// case, and `*` at the end of one stands for any end.
    pub(crate) fn announced_by(mut self, words: &[&str]) -> Result<Self> {
        let fail = |error: regex::Error| Error::Pattern { label: self.label.to_string(), reason: error.to_string() };
        self.announcing = Some(Announcing::new(words).map_err(fail)?);
        Ok(self)
    }

    /// The first place of `text` from `at` on where a match may start that text to come completes or changes; the end where there is none.
    pub(super) fn unfinished_from(&self, text: &str, at: usize) -> usize {
        let from = at.max(boundary_before(text, text.len().saturating_sub(self.reach)));
        let from = self.lead.as_ref().map_or(from, |lead| from + begun(&text[from..], lead));
        self.unfinished.find_at(text, from).map_or(text.len(), |found| found.start())
    }

    /// The first match of `text` from `at` on, whose digits from there on are `digits`.
    pub(super) fn find(&self, text: &str, at: usize, digits: &Digits) -> Option<Range<usize>> {
        let mut at = at;
        loop {
            let starts = self.starts(text, at, digits)?;
            // A match that begins there sees no further than the reach.
            let end = text.ceil_char_boundary(text.len().min(starts.end + self.reach));
            let found = self.regex.find_at(&text[..end], boundary_before(text, starts.start).max(at));
            if let Some(found) = found.filter(|found| found.start() < starts.end) {
                return Some(found.range());
            }
            at = text.ceil_char_boundary(starts.end);
        }
    }

    /// The next places of `text` from `at` on where a match may begin that is taken.
    fn starts(&self, text: &str, mut at: usize, digits: &Digits) -> Option<Range<usize>> {
        let everywhere = |at: usize| (at < text.len()).then_some(at..text.len());
        loop {
            let digits = if self.digits < MANY_DIGITS { everywhere(at) } else { digits.starts(at, self.digits, self.reach, self.between) }?;
            let words = self.announcing.as_ref().map_or_else(|| everywhere(at), |announcing| announcing.starts(text, digits.start))?;
            if words.start < digits.end {
                return Some(words.start..words.end.min(digits.end));
            }
            at = words.start;
        }
    }

    /// What is found where `found` matches.
    pub(super) fn span(&self, text: &str, found: Range<usize>) -> Option<Range<usize>> {
        if !self.capturing {
            return Some(found);
        }
        Some(self.regex.captures_at(text, found.start)?.get(1)?.range())
    }

    /// Whether a text of these bytes can have a match.
    pub(super) fn possible(&self, bytes: Bytes) -> bool {
        self.needed.iter().all(|needed| needed.meets(bytes))
    }

    /// The score of the match `span` of `text`, where it is taken.
    pub(super) fn score(&self, text: &str, span: Range<usize>) -> Option<f32> {
        self.accept.as_ref().map_or(Some(1.0), |accept| accept(&Seen::at(text, span)))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Pattern").field("label", &self.label).field("regex", &self.regex.as_str()).finish_non_exhaustive()
    }
}
