//! What a written answer claims, and whether its sources carry it.

use std::collections::{HashMap, HashSet};

use super::{
    Passage, Vocabulary,
    candidate::candidates,
    question::{inverse_document_frequency, is_function_word},
};
use crate::{Result, Span, sentences};

/// A sentence of an answer and the sources that it names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// The sentence without its marks.
    pub(super) text: String,
    /// The numbers in its marks, each once, in order.
    pub(super) sources: Vec<usize>,
}

/// The statements of `answer`. Marks are `[1]`, `[1][2]`, `[1, 2]`, `[1-3]`; marks behind the stop belong to the sentence before them,
/// brackets within code are no marks.
pub(super) fn statements(answer: &str) -> Vec<Statement> {
    let marks = marks(answer);
    let mut found: Vec<Statement> = Vec::new();
    for span in sentences(answer) {
        let inside: Vec<&Mark> = marks.iter().filter(|mark| span.start <= mark.span.start && mark.span.end <= span.end).collect();
        let text_at = |at: usize| answer[span.start..at].contains(char::is_alphanumeric);
        let leading = inside.iter().take_while(|mark| !text_at(mark.span.start)).count();
        let (before, own) = if found.is_empty() { (&[][..], &inside[..]) } else { inside.split_at(leading) };
        if let Some(last) = found.last_mut() {
            last.add(before);
        }
        let text = without(answer, span, &inside);
        match found.last_mut() {
            Some(last) if !text.contains(char::is_alphanumeric) => last.add(own),
            _ if !text.contains(char::is_alphanumeric) => {}
            _ => {
                found.push(Statement { text, sources: Vec::new() });
                found.last_mut().expect("a statement was just added").add(own);
            }
        }
    }
    found
}

impl Statement {
    fn add(&mut self, marks: &[&Mark]) {
        for number in marks.iter().flat_map(|mark| &mark.numbers) {
            if !self.sources.contains(number) {
                self.sources.push(*number);
            }
        }
    }
}

#[derive(Debug)]
struct Mark {
    span: Span,
    numbers: Vec<usize>,
}

fn marks(answer: &str) -> Vec<Mark> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (at, c) in answer.char_indices() {
        match c {
            '`' => in_code = !in_code,
            '[' if !in_code => found.extend(mark(answer, at)),
            _ => {}
        }
    }
    found
}

/// The mark that opens at `start`, if it is one.
fn mark(answer: &str, start: usize) -> Option<Mark> {
    let length = answer[start..].find(']')?;
    let numbers = answer[start + 1..start + length].split([',', ';']).map(|part| range(part.trim())).collect::<Option<Vec<_>>>()?;
    Some(Mark { span: Span::new(start, start + length + 1), numbers: numbers.concat() })
}

/// `3`, or `1-3` for 1, 2 and 3.
fn range(text: &str) -> Option<Vec<usize>> {
    let number = |text: &str| text.trim().parse::<usize>().ok().filter(|_| text.trim().len() <= 3);
    match text.split_once(['-', '–']) {
        Some((first, last)) => Some((number(first)?..=number(last)?).collect()),
        None => Some(vec![number(text)?]),
    }
}

/// The text of `span` without `marks`, each run of white space made one space.
fn without(answer: &str, span: Span, marks: &[&Mark]) -> String {
    let mut text = String::new();
    let mut from = span.start;
    for mark in marks {
        text.push_str(answer[from..mark.span.start].trim_end());
        from = mark.span.end;
    }
    text.push_str(&answer[from..span.end]);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The least share of a sentence's weight that its sources must hold.
const SUPPORTED: f32 = 0.6;

/// The least share that a source must hold by itself to be cited.
const CONTRIBUTES: f32 = 0.3;

/// Compares statements with passages.
pub(super) struct Checker<'a> {
    passages: Vec<&'a Passage<'a>>,
    terms: Vec<HashSet<String>>,
    vocabulary: &'a dyn Vocabulary,
}

/// Where a statement is found to stand: sources as indices of the checker's passages, each with the sentence that says it best.
pub(super) type Support = Vec<(usize, Span)>;

impl<'a> Checker<'a> {
    /// Checks against `passages`: source number 1 is the first.
    pub(super) fn new(passages: Vec<&'a Passage<'a>>, vocabulary: &'a dyn Vocabulary) -> Self {
        let terms = passages.iter().map(|passage| {
            let text = format!("{}. {}", passage.context().join(". "), passage.text());
            vocabulary.terms(&text).into_iter().map(|(term, _)| term).collect()
        });
        Self { terms: terms.collect(), passages, vocabulary }
    }

    /// How many sources there are.
    pub(super) fn len(&self) -> usize {
        self.passages.len()
    }

    /// Where `statement` stands in its sources; `None` where they do not carry it: they hold too few of its words, or lack a number.
    ///
    /// # Errors
    /// Where the vocabulary cannot be read.
    pub(super) fn support(&self, statement: &Statement) -> Result<Option<Support>> {
        let weights = self.weights(&statement.text)?;
        let cited: Vec<usize> = statement.sources.iter().filter_map(|number| number.checked_sub(1)).filter(|&at| at < self.len()).collect();
        let holds = |term: &str| cited.iter().any(|&at| self.terms[at].contains(term));
        let lacks_number = weights.keys().any(|term| term.contains(|c: char| c.is_ascii_digit()) && !holds(term));
        if lacks_number || share(&weights, holds) < SUPPORTED {
            return Ok(None);
        }
        let contributing = cited.into_iter().filter(|&at| share(&weights, |term| self.terms[at].contains(term)) >= CONTRIBUTES);
        Ok(Some(contributing.filter_map(|at| Some((at, self.quote(at, &weights)?))).collect()))
    }

    /// The sentence of source `at` that holds most of `weights`.
    fn quote(&self, at: usize, weights: &HashMap<String, f32>) -> Option<Span> {
        let found = candidates(&[*self.passages[at]]);
        let shares = found.into_iter().map(|candidate| {
            let terms: HashSet<String> = self.vocabulary.terms(&candidate.text).into_iter().map(|(term, _)| term).collect();
            (share(weights, |term| terms.contains(term)), candidate.span)
        });
        shares.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, span)| span)
    }

    fn weights(&self, text: &str) -> Result<HashMap<String, f32>> {
        let terms = self.vocabulary.terms(text);
        let content = terms.into_iter().filter(|(_, span)| !span.of(text).is_some_and(is_function_word));
        content
            .map(|(term, _)| Ok((term.clone(), inverse_document_frequency(self.vocabulary.chunks(), self.vocabulary.doc_freq(&term)?))))
            .collect()
    }
}

fn share(weights: &HashMap<String, f32>, holds: impl Fn(&str) -> bool) -> f32 {
    let total: f32 = weights.values().sum();
    let held: f32 = weights.iter().filter(|(term, _)| holds(term)).map(|(_, weight)| weight).sum();
    if total > 0.0 { held / total } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(answer: &str) -> Vec<(String, Vec<usize>)> {
        statements(answer).into_iter().map(|statement| (statement.text, statement.sources)).collect()
    }

    #[test]
    fn marks_go_to_the_sentence_that_they_follow() {
        let expected = [("It is blue.", vec![1]), ("It is old.", vec![2, 3]), ("Who knows?", vec![])];
        let expected: Vec<_> = expected.into_iter().map(|(text, sources)| (text.to_owned(), sources)).collect();
        assert_eq!(parsed("It is blue [1]. It is old [2, 3]. Who knows?"), expected);
        assert_eq!(parsed("It is blue. [1] It is old.[2][3] Who knows?"), expected);
        assert_eq!(parsed("It is blue [1].\nIt is old [2-3].\nWho knows?"), expected);
    }

    #[test]
    fn brackets_that_are_no_marks_stay() {
        assert_eq!(parsed("Index `a[0]` and [x] too [2]."), [("Index `a[0]` and [x] too.".to_owned(), vec![2])]);
        assert_eq!(parsed("[1]"), []);
        assert_eq!(parsed("Endless [1-99999999999999]."), [("Endless [1-99999999999999].".to_owned(), vec![])]);
        assert_eq!(parsed("Open [1"), [("Open [1".to_owned(), vec![])]);
    }
}
