use std::{iter::Peekable, str::Chars};

use crate::{
    Error, Result,
    error::Fault,
    natural::Natural,
    number::Number,
    rational::{Rational, ten_to},
};

/// A word of an expression and the character that it begins at, from 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) at: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Number(Number),
    Name(String),
    /// One of `+ - * / % ^ ! ( ) ,`.
    Sign(char),
    End,
}

impl Kind {
    /// The word as an error names it.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Number(_) => "a number".into(),
            Self::Name(name) => format!("`{name}`"),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::End => "the end".into(),
        }
    }
}

/// The words of `text`; the last is [`Kind::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut lexer = Lexer { chars: text.chars().peekable(), at: 1 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token()?;
        let ended = token.kind == Kind::End;
        tokens.push(token);
        if ended {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    chars: Peekable<Chars<'a>>,
    at: usize,
}

impl Lexer<'_> {
    fn token(&mut self) -> Result<Token> {
        self.take_while(char::is_whitespace);
        let at = self.at;
        let kind = match self.chars.peek().copied() {
            None => Kind::End,
            Some(c) if c.is_ascii_digit() || c == '.' => Kind::Number(self.number(at)?),
            Some('π') => self.one(Kind::Name("pi".into())),
            Some('τ') => self.one(Kind::Name("tau".into())),
            Some(c) if c.is_alphabetic() || c == '_' => Kind::Name(self.take_while(|c| c.is_alphanumeric() || c == '_')),
            Some(c) => self.sign(c)?,
        };
        Ok(Token { kind, at })
    }

    fn sign(&mut self, c: char) -> Result<Kind> {
        let at = self.at;
        let sign = match c {
            '+' | '-' | '*' | '/' | '%' | '^' | '!' | '(' | ')' | ',' => c,
            '×' | '·' | '⋅' => '*',
            '÷' => '/',
            '−' => '-',
            '[' | ']' | '{' | '}' => return Err(syntax(at, format!("`{c}` is not known, use round brackets"))),
            '$' | '€' | '£' => return Err(syntax(at, format!("`{c}` is not known, write numbers without a currency"))),
            '=' | '<' | '>' => return Err(syntax(at, format!("`{c}` is not known, an expression compares nothing"))),
            c => return Err(syntax(at, format!("`{}` is not known", c.escape_debug()))),
        };
        self.bump();
        if sign == '*' && c == '*' && self.chars.peek() == Some(&'*') {
            self.bump();
            return Ok(Kind::Sign('^'));
        }
        Ok(Kind::Sign(sign))
    }

    /// A number in decimal, or in base 16, 8 or 2 after `0x`, `0o` or `0b`; `_` may stand between digits.
    fn number(&mut self, at: usize) -> Result<Number> {
        let mut whole = self.digits();
        let radix = match self.chars.peek() {
            Some('x' | 'X') if whole == "0" => 16,
            Some('o' | 'O') if whole == "0" => 8,
            Some('b' | 'B') if whole == "0" => 2,
            _ => 10,
        };
        if radix != 10 {
            self.bump();
            return self.in_radix(radix, at);
        }
        let mut fraction = String::new();
        if self.chars.peek() == Some(&'.') {
            self.bump();
            fraction = self.digits();
        }
        if whole.is_empty() && fraction.is_empty() {
            return Err(syntax(at, "`.` is not a number, write a digit beside it"));
        }
        let exponent = self.exponent()?;
        let ends = self.chars.peek().is_none_or(|c| !c.is_alphanumeric() && *c != '_' && *c != '.');
        if !ends {
            return Err(syntax(self.at, "a number ends here and something follows, write `*` for a product"));
        }
        whole.push_str(&fraction);
        decimal(&whole, exponent.saturating_sub(fraction.len() as i64)).map_err(|fault| fault.at(at))
    }

    /// The `e-3` of `1e-3`; 0 where there is none. Saturates.
    fn exponent(&mut self) -> Result<i64> {
        let mut ahead = self.chars.clone();
        if !matches!(ahead.next(), Some('e' | 'E')) {
            return Ok(0);
        }
        let signed = matches!(ahead.peek(), Some('+' | '-')).then(|| ahead.next()).flatten();
        if !ahead.peek().is_some_and(char::is_ascii_digit) {
            return Err(syntax(self.at, "`e` after a number is followed by a power of ten, as in 1e-3; write `*` for a product"));
        }
        self.bump();
        if signed.is_some() {
            self.bump();
        }
        let size = self.digits().bytes().fold(0i64, |sum, digit| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
        Ok(if signed == Some('-') { -size } else { size })
    }

    fn in_radix(&mut self, radix: u32, at: usize) -> Result<Number> {
        let text = self.take_while(|c| c.is_alphanumeric() || c == '_');
        let digits: Option<Vec<u32>> = text.chars().filter(|c| *c != '_').map(|c| c.to_digit(radix)).collect();
        match digits {
            Some(digits) if !digits.is_empty() => {
                Number::exact(Rational::whole(Natural::from_digits(radix, &digits))).map_err(|fault| fault.at(at))
            }
            _ => Err(syntax(at, format!("the number has a digit that base {radix} does not, or none at all"))),
        }
    }

    fn digits(&mut self) -> String {
        let mut digits = self.take_while(|c| c.is_ascii_digit() || c == '_');
        digits.retain(|c| c != '_');
        digits
    }

    fn one(&mut self, kind: Kind) -> Kind {
        self.bump();
        kind
    }

    fn bump(&mut self) {
        self.chars.next();
        self.at += 1;
    }

    fn take_while(&mut self, holds: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.chars.next_if(|c| holds(*c)) {
            taken.push(c);
            self.at += 1;
        }
        taken
    }
}

/// `digits` times ten to the power `exponent`: exact within [`MAX_BITS`](crate::MAX_BITS), the nearest double beyond.
fn decimal(digits: &str, exponent: i64) -> Result<Number, Fault> {
    let values: Vec<u32> = digits.bytes().map(|digit| u32::from(digit - b'0')).collect();
    let whole = Natural::from_digits(10, &values);
    if whole.is_zero() {
        return Ok(Number::Exact(Rational::whole(whole)));
    }
    if exponent.unsigned_abs() > crate::MAX_BITS as u64 {
        let value = format!("{digits}e{exponent}").parse().map_err(|_| Fault::TooLarge)?;
        return Number::approximate(value);
    }
    let power = ten_to(exponent.unsigned_abs() as u32);
    let number = if exponent < 0 { Rational::new(false, whole, power) } else { Rational::whole(whole.mul(&power)) };
    Number::exact(number)
}

pub(crate) fn syntax(at: usize, message: impl Into<String>) -> Error {
    Error::Syntax { at, message: message.into() }
}
