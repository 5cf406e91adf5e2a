use std::{borrow::Cow, sync::Arc};

use super::{
    Pattern,
    beginning::Bytes,
    boundary_before,
    digits::Digits,
    pattern::{BEFORE, Seen},
};
use crate::{Effect, Finding, Reach, Result, Scan};

type React = dyn FnMut(&str, &Seen<'_>) -> Effect + Send;

/// Finds what patterns match: leftmost first, and where two begin at one place, that of the pattern named first. Matches do not overlap.
///
/// A match is final once no text to come can complete or change it, so the pieces in which the text comes make no difference. Undecided is
/// only what begins a match and may yet become one: at most [`reach`](Self::reach) bytes, and mostly none.
pub struct Matcher {
    patterns: Arc<[Pattern]>,
    react: Box<React>,
    /// The text from `base` on.
    text: String,
    base: usize,
    /// For each pattern, where its next match may start.
    next: Vec<usize>,
    waiting: Vec<Match>,
    /// Where the last finding ended.
    taken: usize,
    decided: usize,
}

#[derive(Clone, Debug)]
struct Match {
    start: usize,
    pattern: usize,
    end: usize,
    score: f32,
}

impl Matcher {
    /// Looks for `patterns`; `react` says what is to be done about a match with this label, in the order of the text.
    pub fn new(patterns: Arc<[Pattern]>, react: impl FnMut(&str, &Seen<'_>) -> Effect + Send + 'static) -> Self {
        let next = vec![0; patterns.len()];
        Self { patterns, react: Box::new(react), text: String::new(), base: 0, next, waiting: Vec::new(), taken: 0, decided: 0 }
    }

    /// How far any of `patterns` looks.
    pub fn reach(patterns: &[Pattern]) -> Reach {
        // And what a place is moved back by to stand between two characters.
        Reach::Bytes(patterns.iter().map(|pattern| pattern.reach + 3).max().unwrap_or(0))
    }

    fn read(&mut self, ended: bool, found: &mut Vec<Finding>) {
        let new = self.next.iter().min().map_or(0, |&next| next - self.base);
        let bytes = Bytes::of(&self.text.as_bytes()[new..]);
        let digits = Digits::of(&self.text, new);
        for pattern in 0..self.patterns.len() {
            self.advance(pattern, ended, bytes, &digits);
        }
        let end = self.base + self.text.len();
        self.decided = self.next.iter().copied().min().unwrap_or(end);
        if ended {
            self.decided = end;
        }
        self.tell(found);
        self.forget();
    }

    /// Takes the matches of one pattern that no further text can change. `bytes` are those of the text where they may be.
    fn advance(&mut self, index: usize, ended: bool, bytes: Bytes, digits: &Digits) {
        let pattern = &self.patterns[index];
        let mut at = self.next[index] - self.base;
        let known = if ended { self.text.len() } else { pattern.unfinished_from(&self.text, at) };
        while pattern.possible(bytes)
            && let Some(found) = pattern.find(&self.text, at, digits).filter(|found| ended || found.start < known)
        {
            let span = pattern.span(&self.text, found.clone());
            let taken = span.and_then(|span| Some((pattern.score(&self.text, span.clone())?, span)));
            // What was no match after all may hold one.
            at = if taken.is_some() { found.end } else { found.start + first_len(&self.text[found]) };
            if let Some((score, span)) = taken {
                self.waiting.push(Match { start: self.base + span.start, pattern: index, end: self.base + span.end, score });
            }
        }
        self.next[index] = self.base + at.max(known);
    }

    /// Tells of the matches before the place that all patterns have decided about.
    fn tell(&mut self, found: &mut Vec<Finding>) {
        let (mut ready, waiting): (Vec<_>, Vec<_>) = self.waiting.drain(..).partition(|found| found.start < self.decided);
        self.waiting = waiting;
        ready.sort_by_key(|found| (found.start, found.pattern));
        for Match { start, pattern, end, score } in ready {
            if start < self.taken {
                continue;
            }
            self.taken = end;
            let label: Cow<'static, str> = self.patterns[pattern].label.clone();
            let effect = (self.react)(&label, &Seen::at(&self.text, start - self.base..end - self.base));
            found.push(Finding { span: start..end, label, score, effect });
        }
    }

    /// Drops the text that no match can reach back to.
    fn forget(&mut self) {
        let cut = boundary_before(&self.text, (self.decided - self.base).saturating_sub(BEFORE + 4));
        // Moving what is left costs its length: only once that is the smaller part.
        if cut > self.text.len() / 2 {
            self.text.drain(..cut);
            self.base += cut;
        }
    }
}

fn first_len(text: &str) -> usize {
    text.chars().next().map_or(1, char::len_utf8)
}

impl Scan for Matcher {
    fn push(&mut self, text: &str, found: &mut Vec<Finding>) -> Result<()> {
        self.text.push_str(text);
        self.read(false, found);
        Ok(())
    }

    fn finish(&mut self, found: &mut Vec<Finding>) -> Result<()> {
        self.read(true, found);
        Ok(())
    }

    fn decided(&self) -> usize {
        self.decided
    }
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Matcher").field("patterns", &self.patterns.len()).field("decided", &self.decided).finish_non_exhaustive()
    }
}
