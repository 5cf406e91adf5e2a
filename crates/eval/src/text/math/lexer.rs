use super::{rational::Rational, token::Token};
use crate::text::number;

/// How deep arguments of commands may nest.
const DEEPEST: usize = 32;
/// Words that are signs or constants, not letters that stand for something.
const CONSTANTS: [(&str, &str); 5] = [("pi", "pi"), ("infty", "infinity"), ("infinity", "infinity"), ("inf", "infinity"), ("in", "in")];
/// Letters of Greek that people use as names.
const GREEK: [&str; 16] =
    ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "lambda", "mu", "nu", "rho", "sigma", "tau", "phi", "omega"];

/// The tokens of an answer in LaTeX or plain notation. `None` where its groups nest too deep.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    let folded = fold(text);
    let mut lexer = Lexer { rest: &folded, tokens: Vec::new(), nesting: 0, spaced: false };
    lexer.run(0)?;
    Some(lexer.finish())
}

/// LaTeX's own signs for those of Unicode, and plain minus and digits.
fn fold(text: &str) -> String {
    let signs = [
        ("π", "\\pi "),
        ("∞", "\\infty "),
        ("√", "\\sqrt "),
        ("÷", "/"),
        ("·", "*"),
        ("∪", "\\cup "),
        ("∈", "\\in "),
        ("−", "-"),
        ("**", "^"),
    ];
    let folded = signs.iter().fold(number::fold(text), |text, (sign, command)| text.replace(sign, command));
    folded.replace("{,}", ",").replace("\\!", "").replace("^\\circ", "").replace("^{\\circ}", "").replace('°', "")
}

struct Lexer<'t> {
    rest: &'t str,
    tokens: Vec<Token>,
    /// Brackets open where the lexer stands, groups not counted.
    nesting: usize,
    /// Whether white space stands before.
    spaced: bool,
}

impl Lexer<'_> {
    fn run(&mut self, depth: usize) -> Option<()> {
        (depth <= DEEPEST).then_some(())?;
        while let Some(c) = self.rest.chars().next() {
            match c {
                '\\' => self.command(depth)?,
                '0'..='9' => self.number(),
                '.' if self.rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
                _ if c.is_alphabetic() => self.word(),
                _ => self.sign(c),
            }
        }
        Some(())
    }

    fn push(&mut self, token: Token) {
        self.tokens.push(token);
        self.spaced = false;
    }

    fn take(&mut self, length: usize) -> &str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn number(&mut self) {
        let length = number_length(self.rest, self.nesting == 0);
        let digits: String = self.take(length).chars().filter(|c| *c != ',').collect();
        let token = Rational::decimal(&digits).map_or(Token::Command(digits), Token::Number);
        if self.spaced && matches!(self.tokens.last(), Some(Token::Number(_))) && token_is_number(&token) {
            // A sign that no text has keeps `1 2` from being `12`, and tells the parser of mixed numbers.
            self.push(Token::Sign(' '));
        }
        self.push(token);
    }

    fn word(&mut self) {
        let length = self.rest.find(|c: char| !c.is_alphabetic()).unwrap_or(self.rest.len());
        let spaced = self.spaced;
        let word = self.take(length).to_owned();
        let constant = CONSTANTS.iter().find(|(written, _)| *written == word);
        let token = match (word.as_str(), constant) {
            ("sqrt", _) => Token::SquareRoot,
            ("or" | "and", _) => Token::Sign(','),
            ("U", _) if spaced && self.tokens.last().is_some_and(|last| last.nesting() < 0) => Token::Union,
            (_, Some((_, name))) => Token::Name((*name).to_owned()),
            _ if spaced && word.chars().count() > 1 && self.after_figure() => Token::Unit(word.to_lowercase()),
            _ => Token::Name(cased(&word)),
        };
        self.push(token);
    }

    /// Whether a word that follows is a unit: a figure stands before it, and no sign that wants a right side.
    fn after_figure(&self) -> bool {
        let figure = self.tokens.iter().any(|token| matches!(token, Token::Number(_)));
        figure && !matches!(self.tokens.last(), Some(Token::Sign('+' | '-' | '*' | '/' | '^' | ',' | '=' | '(' | '{')))
    }

    fn sign(&mut self, c: char) {
        self.take(c.len_utf8());
        match c {
            '(' | '[' => self.nesting += 1,
            ')' | ']' => self.nesting = self.nesting.saturating_sub(1),
            _ => {}
        }
        match c {
            _ if c.is_whitespace() => self.spaced = true,
            '~' => self.spaced = true,
            '%' | '$' => {}
            // The end of a sentence.
            '.' if self.rest.trim().is_empty() => {}
            _ => self.push(Token::Sign(c)),
        }
    }

    fn command(&mut self, depth: usize) -> Option<()> {
        self.take(1);
        let letters = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let name = self.take(letters).to_owned();
        match name.as_str() {
            "" => self.escaped(),
            "frac" | "dfrac" | "tfrac" | "cfrac" => {
                self.push(Token::Fraction);
                self.argument(depth)?;
                self.argument(depth)?;
            }
            "sqrt" => self.root(depth)?,
            "text" | "textbf" | "textit" | "textrm" | "mathrm" | "mathbf" | "mathit" | "mbox" | "operatorname" => self.text(depth)?,
            "boxed" | "fbox" => self.inline(depth)?,
            "left" | "right" | "big" | "Big" | "bigl" | "bigr" | "displaystyle" | "limits" | "degree" | "circ" => {}
            "quad" | "qquad" => self.spaced = true,
            "cdot" | "times" | "ast" => self.push(Token::Sign('*')),
            "div" => self.push(Token::Sign('/')),
            "cup" => self.push(Token::Union),
            "lbrace" => self.set('{'),
            "rbrace" => self.set('}'),
            _ => self.named(name),
        }
        Some(())
    }

    fn named(&mut self, name: String) {
        let constant = CONSTANTS.iter().find(|(written, _)| *written == name);
        let token = match constant {
            Some((_, constant)) => Token::Name((*constant).to_owned()),
            None if is_greek(&name) => Token::Name(name),
            None => Token::Command(name),
        };
        self.push(token);
    }

    /// A backslash before a character that is no letter.
    fn escaped(&mut self) {
        let Some(c) = self.rest.chars().next() else { return };
        self.take(c.len_utf8());
        match c {
            '{' | '}' => self.set(c),
            ',' | ';' | ':' | ' ' => self.spaced = true,
            '%' | '$' | '(' | ')' | '[' | ']' => {}
            _ => self.push(Token::Command(c.to_string())),
        }
    }

    fn set(&mut self, brace: char) {
        self.nesting = if brace == '{' { self.nesting + 1 } else { self.nesting.saturating_sub(1) };
        self.push(Token::Set(brace));
    }

    fn root(&mut self, depth: usize) -> Option<()> {
        let inner = self.rest.trim_start();
        match inner.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((index, rest)) => {
                let (index, rest) = (index.to_owned(), rest.len());
                self.take(self.rest.len() - rest);
                self.push(Token::Root);
                self.group(&index, depth)?;
            }
            None => self.push(Token::SquareRoot),
        }
        self.argument(depth)
    }

    /// The argument of a command as a group: what stands in braces, or one character.
    fn argument(&mut self, depth: usize) -> Option<()> {
        let argument = self.take_argument();
        self.group(&argument, depth)
    }

    fn group(&mut self, text: &str, depth: usize) -> Option<()> {
        let inner = self.nested(text, depth)?;
        self.push(Token::Sign('{'));
        self.tokens.extend(inner);
        self.push(Token::Sign('}'));
        Some(())
    }

    fn inline(&mut self, depth: usize) -> Option<()> {
        let argument = self.take_argument();
        let inner = self.nested(&argument, depth)?;
        self.tokens.extend(inner);
        Some(())
    }

    /// Text stands for itself, or is the unit of the figure before it.
    fn text(&mut self, depth: usize) -> Option<()> {
        let argument = self.take_argument();
        let word = argument.trim();
        match word {
            "and" | "or" => self.push(Token::Sign(',')),
            _ if self.after_figure() => self.push(Token::Unit(word.to_lowercase())),
            _ => {
                let inner = self.nested(word, depth)?;
                self.tokens.extend(inner);
            }
        }
        Some(())
    }

    fn nested(&self, text: &str, depth: usize) -> Option<Vec<Token>> {
        let mut inner = Lexer { rest: text, tokens: Vec::new(), nesting: self.nesting, spaced: false };
        inner.run(depth + 1)?;
        Some(inner.tokens)
    }

    fn take_argument(&mut self) -> String {
        let start = self.rest.len() - self.rest.trim_start().len();
        self.take(start);
        let length = argument_length(self.rest);
        let argument = self.take(length);
        let inner = argument.strip_prefix('{').map_or(argument, |inner| inner.strip_suffix('}').unwrap_or(inner));
        inner.to_owned()
    }

    /// Without the units at the end, with the power that may stand behind them.
    fn finish(mut self) -> Vec<Token> {
        let units = self.tokens.iter().rposition(|token| !matches!(token, Token::Unit(_))).map_or(0, |last| last + 1);
        if units == self.tokens.len() {
            let power = self.tokens.iter().rposition(|token| matches!(token, Token::Unit(_))).map_or(units, |unit| unit + 1);
            if is_power(&self.tokens[power..]) {
                self.tokens.truncate(power);
                return self.finish();
            }
        }
        self.tokens.truncate(units);
        self.tokens
    }
}

pub(super) fn is_greek(name: &str) -> bool {
    GREEK.contains(&name)
}

fn token_is_number(token: &Token) -> bool {
    matches!(token, Token::Number(_))
}

/// Words are compared in lower case; letters, and runs of two that may be names of lines, as they stand.
fn cased(word: &str) -> String {
    if word.chars().count() > 2 { word.to_lowercase() } else { word.to_owned() }
}

/// Whether the tokens are `^2` or `^{2}`, of any one number.
fn is_power(tokens: &[Token]) -> bool {
    let [Token::Sign('^'), rest @ ..] = tokens else { return false };
    matches!(rest, [Token::Number(_)] | [Token::Sign('{'), Token::Number(_), Token::Sign('}')])
}

/// How much of `text` is one number: digits, a point and digits, and where `grouped` commas before groups of three.
fn number_length(text: &str, grouped: bool) -> usize {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(0);
    while grouped && (1..=3).contains(&digits(0)) && text[length..].starts_with(',') && digits(length + 1) == 3 {
        length += 4;
    }
    let decimals = if text[length..].starts_with('.') { digits(length + 1) } else { 0 };
    if decimals > 0 { length + 1 + decimals } else { length }
}

/// How long the argument at the start of `text` is: braces and what they hold, a command, or one character.
fn argument_length(text: &str) -> usize {
    match text.chars().next() {
        None => 0,
        Some('{') => super::boxed::group_length(text).unwrap_or(text.len()),
        Some('\\') => 1 + command_length(&text[1..]),
        Some(c) => c.len_utf8(),
    }
}

/// How long the name of a command is: letters, or one character that is none.
fn command_length(text: &str) -> usize {
    match text.find(|c: char| !c.is_ascii_alphabetic()) {
        Some(0) => text.chars().next().map_or(0, char::len_utf8),
        letters => letters.unwrap_or(text.len()),
    }
}
