//! Finding, in a tag, what [`guard`](super::guard) has to change.

use std::{borrow::Cow, ops::Range};

use super::guard::{FIELD, ITEMS, SCALAR, SETTLE};
use super::scan::{Kind, Token, outermost};

/// What takes the place of a span of the source.
pub(super) type Edit = (Range<usize>, Cow<'static, str>);

/// A walk over the tokens of a tag.
pub(super) struct Walk<'t, 's> {
    tokens: &'t [Token<'s>],
    edits: Vec<Edit>,
}

impl<'t, 's> Walk<'t, 's> {
    /// What is to be changed in a tag, from left to right.
    pub(super) fn edits(tokens: &'t [Token<'s>], is_block: bool) -> Vec<Edit> {
        let mut walk = Self { tokens, edits: Vec::new() };
        if is_block {
            walk.statement();
        } else {
            walk.output();
        }
        // Edits at one place stay in the order in which they were found: from the inside out.
        walk.edits.sort_by_key(|edit| edit.0.start);
        walk.edits
    }

    fn statement(&mut self) {
        let end = self.tokens.len();
        match self.text(0) {
            "generation" => self.replace_head("with"),
            "endgeneration" => self.replace_head("endwith"),
            "set" => self.assignment(1..end),
            "with" => self.slots(1..end, Self::assignment),
            "for" => self.iteration(1..end),
            "macro" => self.parameters(2, end),
            "call" => self.parameters(1, end),
            _ => self.expression(1..end),
        }
    }

    /// `{{ ... }}`: a sum of lists has not been weighed yet; the engine knows tuples only in brackets.
    fn output(&mut self) {
        let all = 0..self.tokens.len();
        let is_open = self.tokens.iter().any(|token| matches!(token.text, "+" | ","));
        if is_open { self.wrap(all, SETTLE) } else { self.expression(all) }
    }

    fn replace_head(&mut self, name: &'static str) {
        let head = self.tokens[0];
        self.edits.push((head.start..head.end(), name.into()));
    }

    /// `target in list`, and what may follow: `if condition`, `recursive`.
    fn iteration(&mut self, range: Range<usize>) {
        let Some(word) = self.outermost(range.clone()).find(|&at| self.text(at) == "in") else { return };
        let list = word + 1..range.end;
        let end = self.outermost(list.clone()).find(|&at| matches!(self.text(at), "if" | "recursive") && self.text(at - 1) != ".");
        let list = list.start..end.unwrap_or(list.end);
        self.wrap(list.clone(), ITEMS);
        self.expression(list.end..range.end);
    }

    /// `target = value`, in `{% set %}` and `{% with %}`.
    fn assignment(&mut self, range: Range<usize>) {
        let Some(equals) = self.outermost(range.clone()).find(|&at| self.text(at) == "=") else { return self.expression(range) };
        let is_field = (range.start..equals).any(|at| self.text(at) == ".");
        self.wrap(equals + 1..range.end, if is_field { FIELD } else { SETTLE });
    }

    /// A list of parameters in brackets at `open`, where there is one, and what follows it.
    fn parameters(&mut self, open: usize, end: usize) {
        match self.tokens.get(open).map(|token| token.kind) {
            Some(Kind::Open(close)) => {
                self.slots(open + 1..close, Self::parameter);
                self.expression(close + 1..end);
            }
            _ => self.expression(open.min(end)..end),
        }
    }

    fn parameter(&mut self, range: Range<usize>) {
        if self.text(range.start + 1) == "=" {
            self.wrap(range.start + 2..range.end, SETTLE);
        }
    }

    /// An argument of a call: `value`, `name=value`, `*list` or `**dict`.
    fn argument(&mut self, range: Range<usize>) {
        if matches!(self.text(range.start), "*" | "**") {
            return self.expression(range.start + 1..range.end);
        }
        let named = self.text(range.start + 1) == "=" && range.len() > 2;
        self.wrap(if named { range.start + 2..range.end } else { range }, SETTLE);
    }

    /// Each of what commas part, brackets aside.
    fn slots(&mut self, range: Range<usize>, each: fn(&mut Self, Range<usize>)) {
        let commas: Vec<usize> = self.outermost(range.clone()).filter(|&at| self.text(at) == ",").collect();
        let mut start = range.start;
        for end in commas.into_iter().chain([range.end]) {
            if start < end {
                each(self, start..end);
            }
            start = end + 1;
        }
    }

    /// Passes an expression to `filter`, unless it is a literal.
    fn wrap(&mut self, range: Range<usize>, filter: &'static str) {
        if range.is_empty() || (range.len() == 1 && self.tokens[range.start].kind == Kind::Literal) {
            return;
        }
        self.insert(self.tokens[range.start].start, "(".into());
        self.expression(range.clone());
        self.insert(self.tokens[range.end - 1].end(), format!(")|{filter}").into());
    }

    fn expression(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            let behind_operand = at > range.start && self.is_operand(at - 1, range.start);
            match self.tokens[at].kind {
                Kind::Open(close) => {
                    self.bracket(at, close, behind_operand);
                    at = close;
                }
                // A keyword too may be a variable here; where it is none, `*` is an error behind it.
                Kind::Symbol if self.text(at) == "*" && (behind_operand || self.is_name(at.wrapping_sub(1))) => self.product(at),
                _ => {}
            }
            at += 1;
        }
    }

    fn bracket(&mut self, open: usize, close: usize, behind_operand: bool) {
        let inside = open + 1..close;
        match self.text(open) {
            "(" if behind_operand => self.slots(inside, Self::argument),
            "[" if behind_operand => self.expression(inside),
            _ => {
                self.insert(self.tokens[open].start, "(".into());
                self.expression(inside);
                self.insert(self.tokens[close].end(), format!("|{SETTLE})").into());
            }
        }
    }

    /// Both sides of a `*` have to be numbers or text.
    fn product(&mut self, at: usize) {
        self.insert(self.tokens[at - 1].end(), format!("|{SCALAR}").into());
        if let Some(last) = self.end_of_operand(at + 1) {
            self.insert(self.tokens[last].end(), format!("|{SCALAR}").into());
        }
    }

    /// The last token of the operand that starts at `at`: signs, a primary, and what hangs on it.
    fn end_of_operand(&self, mut at: usize) -> Option<usize> {
        while matches!(self.text(at), "-" | "+") {
            at += 1;
        }
        let close = |at: usize| match self.tokens.get(at)?.kind {
            Kind::Open(close) => Some(close),
            Kind::Name | Kind::Literal => Some(at),
            _ => None,
        };
        let mut last = close(at)?;
        while let Some(next) = self.tokens.get(last + 1) {
            last = match (next.text, next.kind) {
                ("." | "|", _) if last + 2 < self.tokens.len() => last + 2,
                ("(" | "[", Kind::Open(close)) => close,
                (_, Kind::Literal) => last + 1,
                _ => break,
            };
        }
        Some(last)
    }

    /// Whether the token ends a value, so that a bracket behind it calls or indexes.
    fn is_operand(&self, at: usize, start: usize) -> bool {
        let before = |back: usize| if at >= start + back { self.text(at - back) } else { "" };
        match self.tokens[at].kind {
            Kind::Literal | Kind::Close => true,
            // An attribute, a filter or a test may be called like a keyword.
            Kind::Name if matches!(before(1), "." | "|") || (before(2) == "is" && before(1) == "not") => true,
            Kind::Name if before(1) == "is" => self.text(at) != "not",
            Kind::Name => !matches!(self.text(at), "and" | "or" | "not" | "in" | "is" | "if" | "else"),
            Kind::Open(_) | Kind::Symbol => false,
        }
    }

    fn is_name(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == Kind::Name)
    }

    fn outermost(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        outermost(self.tokens, range)
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    fn insert(&mut self, offset: usize, text: Cow<'static, str>) {
        self.edits.push((offset..offset, text));
    }
}
