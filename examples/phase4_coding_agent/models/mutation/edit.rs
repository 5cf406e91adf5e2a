use std::ops::Range;

use super::source::{Kind, Token, tokens};
use crate::tasks::Language;

/// A small change of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) at: Range<usize>,
    /// The line that it is in, from 1.
    pub(crate) line: usize,
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) rule: Rule,
}

/// The sorts of change, most likely first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    Comparison,
    OffByOne,
    Arithmetic,
    Logic,
    Name,
    Range,
    Swap,
    /// Only breaks: no search over small edits brings a line back.
    DroppedLine,
}

impl Rule {
    /// In words, for an analysis.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Comparison => "a comparison",
            Self::OffByOne => "a constant",
            Self::Arithmetic => "an operator of arithmetic",
            Self::Logic => "a logical operator",
            Self::Name => "a function or value that has a twin",
            Self::Range => "the end of a range",
            Self::Swap => "the order of two arguments",
            Self::DroppedLine => "a line that is missing",
        }
    }
}

impl Edit {
    /// The program after it.
    pub(crate) fn apply(&self, text: &str) -> String {
        [&text[..self.at.start], &self.after, &text[self.at.end..]].concat()
    }
}

/// What each sign or word may have been meant to be.
const TWINS: [(&str, &[&str], Rule); 36] = [
    ("<", &["<=", ">"], Rule::Comparison),
    ("<=", &["<", ">="], Rule::Comparison),
    (">", &[">=", "<"], Rule::Comparison),
    (">=", &[">", "<="], Rule::Comparison),
    ("==", &["!="], Rule::Comparison),
    ("!=", &["=="], Rule::Comparison),
    ("+", &["-"], Rule::Arithmetic),
    ("-", &["+"], Rule::Arithmetic),
    ("*", &["+"], Rule::Arithmetic),
    ("%", &["/", "*"], Rule::Arithmetic),
    ("/", &["*", "%"], Rule::Arithmetic),
    ("//", &["%", "*"], Rule::Arithmetic),
    ("**", &["*"], Rule::Arithmetic),
    ("+=", &["-="], Rule::Arithmetic),
    ("-=", &["+="], Rule::Arithmetic),
    ("*=", &["+="], Rule::Arithmetic),
    ("/=", &["*="], Rule::Arithmetic),
    ("&&", &["||"], Rule::Logic),
    ("||", &["&&"], Rule::Logic),
    ("and", &["or"], Rule::Logic),
    ("or", &["and"], Rule::Logic),
    ("not", &[""], Rule::Logic),
    ("True", &["False"], Rule::Logic),
    ("False", &["True"], Rule::Logic),
    ("true", &["false"], Rule::Logic),
    ("false", &["true"], Rule::Logic),
    ("min", &["max"], Rule::Name),
    ("max", &["min"], Rule::Name),
    ("any", &["all"], Rule::Name),
    ("all", &["any"], Rule::Name),
    ("first", &["last"], Rule::Name),
    ("last", &["first"], Rule::Name),
    ("is_uppercase", &["is_lowercase"], Rule::Name),
    ("is_lowercase", &["is_uppercase"], Rule::Name),
    ("..", &["..="], Rule::Range),
    ("..=", &[".."], Rule::Range),
];

/// Every small change of `text`, in the order of the text.
pub(crate) fn edits(text: &str, language: Language) -> Vec<Edit> {
    let tokens = tokens(text, language);
    let mut edits = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        edits.extend(of_token(text, token));
        edits.extend(swap(text, &tokens[index..]));
    }
    edits
}

/// The lines that can be dropped without the program losing its form.
pub(crate) fn dropped_lines(text: &str, language: Language) -> Vec<Edit> {
    let mut start = 0;
    let mut edits = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let code = line.trim();
        let (drops, left) = match language {
            Language::Python => (is_statement_of_python(code), "pass"),
            Language::Rust => (code.ends_with(';') && !code.starts_with("let ") && !code.starts_with("use "), ""),
        };
        if drops {
            let from = start + line.len() - line.trim_start().len();
            let at = from..from + code.len();
            edits.push(Edit { at, line: index + 1, before: code.into(), after: left.into(), rule: Rule::DroppedLine });
        }
        start += line.len();
    }
    edits
}

fn is_statement_of_python(code: &str) -> bool {
    let assigns = [" += ", " -= ", " *= ", ".append(", ".add("].iter().any(|sign| code.contains(sign));
    (assigns || code == "continue" || code == "break") && !code.ends_with(':') && !code.ends_with(',') && !code.ends_with('(')
}

fn of_token(text: &str, token: &Token) -> Vec<Edit> {
    let before = &text[token.at.clone()];
    let edit = |after: String, rule| Edit { at: token.at.clone(), line: token.line, before: before.into(), after, rule };
    match token.kind {
        Kind::Number => before.parse::<u64>().ok().into_iter().flat_map(neighbours).map(|after| edit(after, Rule::OffByOne)).collect(),
        Kind::Sign if !before.starts_with("..") && !is_between_spaces(text, &token.at) => Vec::new(),
        Kind::Sign | Kind::Word => {
            let twins = TWINS.iter().find(|(sign, ..)| *sign == before);
            twins.into_iter().flat_map(|(_, afters, rule)| afters.iter().map(|after| edit((*after).to_owned(), *rule))).collect()
        }
    }
}

fn neighbours(number: u64) -> Vec<String> {
    [number.checked_add(1), number.checked_sub(1)].into_iter().flatten().map(|number| number.to_string()).collect()
}

/// Only what stands between spaces is sure to be an operator: no type's bracket, no sign of a number, no reference.
fn is_between_spaces(text: &str, at: &Range<usize>) -> bool {
    text[..at.start].ends_with(' ') && text[at.end..].starts_with(' ')
}

/// `(a, b)` to `(b, a)`, where both are one word or number.
fn swap(text: &str, tokens: &[Token]) -> Option<Edit> {
    let [open, first, comma, second, close, ..] = tokens else { return None };
    let read = |token: &Token| &text[token.at.clone()];
    let fits = [read(open), read(comma), read(close)] == ["(", ",", ")"] && first.kind != Kind::Sign && second.kind != Kind::Sign;
    (fits && read(first) != read(second)).then(|| Edit {
        at: first.at.start..second.at.end,
        line: first.line,
        before: text[first.at.start..second.at.end].into(),
        after: format!("{}, {}", read(second), read(first)),
        rule: Rule::Swap,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_can_be_undone_by_one() {
        let text =
            "fn f(a: Vec<isize>, n: isize) -> bool {\n    let x = g(a, 3);\n    a[0] < n && x >= -1 || (0..n).all(|i| i % 2 == 0)\n}\n";
        let all = edits(text, Language::Rust);
        assert!(all.len() > 10);
        let lasting = all.iter().filter(|edit| {
            let broken = edit.apply(text);
            !edits(&broken, Language::Rust).iter().any(|back| back.apply(&broken) == text)
        });
        // `%` to `/` comes back; only some of arithmetic does not, and is what a search has to fail at.
        assert!(lasting.clone().all(|edit| edit.rule == Rule::Arithmetic), "{:?}", lasting.collect::<Vec<_>>());
    }

    #[test]
    fn types_and_signs_of_numbers_are_left_alone() {
        let all = edits("fn f(a: Vec<isize>) -> &str { -1 }", Language::Rust);
        assert!(all.iter().all(|edit| edit.before == "1"), "{all:?}");
    }

    #[test]
    fn lines_are_dropped_whole() {
        let python = "def f(a):\n    n = 0\n    for x in a:\n        n += x\n    return n\n";
        let dropped: Vec<String> = dropped_lines(python, Language::Python).iter().map(|edit| edit.apply(python)).collect();
        assert_eq!(dropped, ["def f(a):\n    n = 0\n    for x in a:\n        pass\n    return n\n"]);
    }
}
