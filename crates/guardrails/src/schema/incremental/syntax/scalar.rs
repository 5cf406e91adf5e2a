use serde_json::Value;

use super::{Fault, Sink, State, Step, Syntax, went};

/// What of a number was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digits {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    E,
    Sign,
    Exponent,
}

/// Numbers and literals.
impl Syntax {
    pub(super) fn digit(&mut self, byte: u8, digits: Digits, sink: &mut impl Sink) -> Step {
        let next = match (digits, byte) {
            (Digits::Minus, b'0') => Digits::Zero,
            (Digits::Minus | Digits::Whole, b'0'..=b'9') => Digits::Whole,
            (Digits::Zero | Digits::Whole, b'.') => Digits::Point,
            (Digits::Point | Digits::Fraction, b'0'..=b'9') => Digits::Fraction,
            (Digits::Zero | Digits::Whole | Digits::Fraction, b'e' | b'E') => Digits::E,
            (Digits::E, b'+' | b'-') => Digits::Sign,
            (Digits::E | Digits::Sign | Digits::Exponent, b'0'..=b'9') => Digits::Exponent,
            _ => {
                self.end_number(digits, sink)?;
                return self.byte(byte, sink);
            }
        };
        self.held.push(char::from(byte));
        self.state = State::Number(next);
        Ok(())
    }

    pub(super) fn end_number(&mut self, digits: Digits, sink: &mut impl Sink) -> Step {
        if !matches!(digits, Digits::Zero | Digits::Whole | Digits::Fraction | Digits::Exponent) {
            return Err(Fault::Syntax("a digit has to follow"));
        }
        let number = self.held.parse().map_err(|_| Fault::Syntax("the number is beyond the range of a double"))?;
        self.after_value();
        went(sink.number(number))
    }

    pub(super) fn letter(&mut self, byte: u8, word: &'static str, done: usize, sink: &mut impl Sink) -> Step {
        if word.as_bytes()[done] != byte {
            return Err(Fault::Syntax("`true`, `false` or `null` has to be written out"));
        }
        if done + 1 < word.len() {
            return self.go(State::Literal { word, done: done + 1 });
        }
        self.after_value();
        went(sink.literal(if word == "null" { Value::Null } else { Value::Bool(word == "true") }))
    }
}
