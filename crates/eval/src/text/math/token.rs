use super::rational::Rational;

/// A piece of an answer, spacing and typesetting taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Number(Rational),
    /// A letter, a word or a constant: `x`, `pi`, `tuesday`.
    Name(String),
    /// A word or text after a figure: its unit, unless more follows.
    Unit(String),
    /// `\frac`, followed by two groups.
    Fraction,
    /// `\sqrt`, followed by a group or what else stands for a factor.
    SquareRoot,
    /// `\sqrt[n]`, followed by two groups, the index first.
    Root,
    /// `\cup` between intervals.
    Union,
    /// A brace of `\{ \}`; those that only group are symbols.
    Set(char),
    /// A command that has no meaning here.
    Command(String),
    /// A sign, and every other character.
    Sign(char),
}

impl Token {
    pub(super) fn is_sign(&self, sign: char) -> bool {
        *self == Self::Sign(sign)
    }

    /// Whether it opens a bracket, 1, closes one, -1, or neither, 0.
    pub(super) fn nesting(&self) -> isize {
        match self {
            Self::Sign('(' | '[' | '{') | Self::Set('{') => 1,
            Self::Sign(')' | ']' | '}') | Self::Set('}') => -1,
            _ => 0,
        }
    }
}
