use super::{expression::Expression, lexer, rational::Rational, token::Token};

/// How deep brackets and groups may nest.
const DEEPEST: usize = 32;

/// The expression that all of `tokens` make; `None` where they make none.
///
/// Juxtaposition multiplies and binds like a sign: `1/2x` is half of x. An integer before a proper fraction is a mixed number.
pub(super) fn expression(tokens: &[Token]) -> Option<Expression> {
    let mut parser = Parser { tokens, depth: 0 };
    let whole = parser.sum()?;
    parser.tokens.is_empty().then_some(whole)
}

struct Parser<'t> {
    tokens: &'t [Token],
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.first()
    }

    fn accept(&mut self, sign: char) -> bool {
        let accepted = self.peek().is_some_and(|token| token.is_sign(sign));
        self.tokens = &self.tokens[usize::from(accepted)..];
        accepted
    }

    fn expect(&mut self, sign: char) -> Option<()> {
        self.accept(sign).then_some(())
    }

    fn sum(&mut self) -> Option<Expression> {
        self.depth += 1;
        (self.depth <= DEEPEST).then_some(())?;
        let mut terms = vec![self.signed_product()?];
        loop {
            if self.accept('+') {
                terms.push(self.product()?);
            } else if self.accept('-') {
                terms.push(self.product()?.negated());
            } else {
                break;
            }
        }
        self.depth -= 1;
        Some(Expression::sum(terms))
    }

    fn signed_product(&mut self) -> Option<Expression> {
        if self.accept('-') {
            return Some(self.product()?.negated());
        }
        self.accept('+');
        self.product()
    }

    fn product(&mut self) -> Option<Expression> {
        let mut whole = self.power()?;
        loop {
            whole = if self.accept('*') {
                Expression::product(vec![whole, self.factor()?])
            } else if self.accept('/') {
                whole.over(self.factor()?)?
            } else if self.starts_factor() {
                let next = self.power()?;
                Expression::product(vec![whole, next])
            } else {
                return Some(whole);
            };
        }
    }

    /// What follows a sign of multiplication, which may have a sign of its own.
    fn factor(&mut self) -> Option<Expression> {
        if self.accept('-') { Some(self.power()?.negated()) } else { self.power() }
    }

    fn starts_factor(&self) -> bool {
        matches!(self.peek(), Some(Token::Name(_) | Token::Fraction | Token::SquareRoot | Token::Root | Token::Sign('(')))
    }

    fn power(&mut self) -> Option<Expression> {
        let base = self.atom()?;
        if !self.accept('^') {
            return Some(base);
        }
        let exponent = if self.accept('-') { self.atom()?.negated() } else { self.atom()? };
        base.power(exponent)
    }

    fn atom(&mut self) -> Option<Expression> {
        let (first, rest) = self.tokens.split_first()?;
        let alone = self.depth == 1 && rest.is_empty();
        self.tokens = rest;
        match first {
            Token::Number(number) => self.mixed(*number),
            // Letters multiply; a word is an answer of its own or nothing that this parser knows.
            Token::Name(name) => (alone || is_factor(name)).then(|| Expression::Symbol(name.clone())),
            Token::Sign('(') => self.closed_by(')'),
            Token::Sign('{') => self.closed_by('}'),
            Token::Fraction => {
                let top = self.atom()?;
                top.over(self.atom()?)
            }
            Token::SquareRoot => self.atom()?.root(Expression::integer(2)),
            Token::Root => {
                let index = self.atom()?;
                self.atom()?.root(index)
            }
            _ => None,
        }
    }

    fn closed_by(&mut self, close: char) -> Option<Expression> {
        let inner = self.sum()?;
        self.expect(close)?;
        Some(inner)
    }

    /// `number`, and the proper fraction that follows an integer: `1 1/2`, `1\frac{1}{2}`.
    fn mixed(&mut self, number: Rational) -> Option<Expression> {
        let fraction = if number.as_integer().is_some() { leading_fraction(self.tokens) } else { None };
        let part = fraction.and_then(|(top, bottom, length)| Some((top.mul(bottom.pow(-1)?)?, length)));
        let Some((part, length)) = part.filter(|(part, _)| part.is_proper()) else { return Some(Expression::Number(number)) };
        self.tokens = &self.tokens[length..];
        number.add(part).map(Expression::Number)
    }
}

/// The numbers of the fraction that begins `tokens`, and how many tokens it has.
fn leading_fraction(tokens: &[Token]) -> Option<(Rational, Rational, usize)> {
    use Token::{Fraction, Number, Sign};
    match tokens {
        [Sign(' '), Number(top), Sign('/'), Number(bottom), ..] => Some((*top, *bottom, 4)),
        [Fraction, Sign('{'), Number(top), Sign('}'), Sign('{'), Number(bottom), Sign('}'), ..] => Some((*top, *bottom, 7)),
        _ => None,
    }
}

fn is_factor(name: &str) -> bool {
    name.chars().count() == 1 || name == "pi" || name == "infinity" || lexer::is_greek(name)
}
