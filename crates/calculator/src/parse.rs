use crate::{
    Error, MAX_DEPTH, Result,
    functions::{self, Function},
    number::Number,
    token::{Kind, Token, syntax},
};

/// A step of a machine with a stack, and the character that it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) act: Act,
    pub(crate) at: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Act {
    Push(Number),
    Negate,
    /// Divides by a hundred.
    Percent,
    Factorial,
    /// One of `+ - * / % ^`.
    Binary(char),
    /// The function, over so many numbers from the top of the stack.
    Call(&'static Function, usize),
}

const SUM: u8 = 1;
const PRODUCT: u8 = 2;
const MINUS: u8 = 3;
const POWER: u8 = 4;

/// Precedence climbing (V. R. Pratt, "Top Down Operator Precedence", 1973) into postfix order, so that what runs it needs no recursion.
pub(crate) fn parse(tokens: Vec<Token>) -> Result<Vec<Step>> {
    let mut parser = Parser { tokens, next: 0, steps: Vec::new() };
    if parser.tokens.len() == 1 {
        return Err(syntax(1, "there is no expression"));
    }
    parser.expression(0, 0)?;
    match &parser.peek().kind {
        Kind::End => Ok(parser.steps),
        Kind::Sign(')') => Err(syntax(parser.peek().at, "a bracket is closed that was not opened")),
        Kind::Sign(',') => Err(syntax(parser.peek().at, "a comma stands between the arguments of a function, write 1000 for 1,000")),
        other => Err(syntax(parser.peek().at, format!("an operator is missing before {}, write `*` for a product", other.told()))),
    }
}

struct Parser {
    /// Ends with [`Kind::End`], which is never stepped over.
    tokens: Vec<Token>,
    next: usize,
    steps: Vec<Step>,
}

impl Parser {
    /// An operand and every operator after it that binds at least as tightly as `least`.
    fn expression(&mut self, least: u8, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::Limit { what: "levels of nesting", limit: MAX_DEPTH });
        }
        self.operand(depth)?;
        loop {
            let at = self.peek().at;
            match self.operator() {
                Some(Operator::Postfix(act)) => {
                    self.next += 1;
                    self.push(act, at);
                }
                // A power's right side binds to the right, and may be negative: 2^-3^2 is 2^(-(3^2)).
                Some(Operator::Infix(sign, binds)) if binds >= least => {
                    self.next += 1;
                    let (right, deeper) = if sign == '^' { (POWER, depth + 1) } else { (binds + 1, depth) };
                    self.expression(right, deeper)?;
                    self.push(Act::Binary(sign), at);
                }
                _ => return Ok(()),
            }
        }
    }

    fn operator(&self) -> Option<Operator> {
        Some(match &self.peek().kind {
            Kind::Sign(sign @ ('+' | '-')) => Operator::Infix(*sign, SUM),
            Kind::Sign(sign @ ('*' | '/')) => Operator::Infix(*sign, PRODUCT),
            Kind::Name(name) if name == "of" => Operator::Infix('*', PRODUCT),
            Kind::Name(name) if name == "mod" => Operator::Infix('%', PRODUCT),
            Kind::Sign('%') if self.operand_follows() => Operator::Infix('%', PRODUCT),
            Kind::Sign('%') => Operator::Postfix(Act::Percent),
            Kind::Sign('^') => Operator::Infix('^', POWER),
            Kind::Sign('!') => Operator::Postfix(Act::Factorial),
            _ => return None,
        })
    }

    /// Whether an operand stands after the word that is looked at: what tells `7 % 3` from `7%`.
    fn operand_follows(&self) -> bool {
        match self.tokens.get(self.next + 1).map(|token| &token.kind) {
            Some(Kind::Number(_) | Kind::Sign('(')) => true,
            Some(Kind::Name(name)) => name != "of" && name != "mod",
            _ => false,
        }
    }

    fn operand(&mut self, depth: usize) -> Result<()> {
        let Token { kind, at } = self.peek().clone();
        if kind != Kind::End {
            self.next += 1;
        }
        match kind {
            Kind::Number(number) => self.push(Act::Push(number), at),
            Kind::Name(name) => self.name(&name, at, depth)?,
            Kind::Sign('(') => {
                self.expression(0, depth + 1)?;
                self.close(at)?;
            }
            Kind::Sign('-') => {
                self.expression(MINUS, depth + 1)?;
                self.push(Act::Negate, at);
            }
            Kind::Sign('+') => self.expression(MINUS, depth + 1)?,
            other => return Err(syntax(at, format!("a number is missing before {}", other.told()))),
        }
        Ok(())
    }

    fn name(&mut self, name: &str, at: usize, depth: usize) -> Result<()> {
        let name = name.to_lowercase();
        if let Some(constant) = functions::constant(&name) {
            self.push(Act::Push(constant), at);
            return Ok(());
        }
        let Some(function) = functions::find(&name) else {
            let near = functions::nearest(&name);
            return Err(Error::UnknownName { at, name, near });
        };
        if self.peek().kind != Kind::Sign('(') {
            return Err(syntax(self.peek().at, format!("`{name}` is a function, write its arguments in brackets")));
        }
        let opened = self.peek().at;
        self.next += 1;
        let given = self.arguments(opened, depth + 1)?;
        if !(function.least..=function.most).contains(&given) {
            return Err(Error::Arity { at, name: function.name, takes: function.takes(), given });
        }
        self.push(Act::Call(function, given), at);
        Ok(())
    }

    /// Expressions with commas between them, and the closing bracket. How many they are.
    fn arguments(&mut self, opened: usize, depth: usize) -> Result<usize> {
        if self.peek().kind == Kind::Sign(')') {
            self.next += 1;
            return Ok(0);
        }
        let mut given = 1;
        self.expression(0, depth)?;
        while self.peek().kind == Kind::Sign(',') {
            self.next += 1;
            given += 1;
            self.expression(0, depth)?;
        }
        self.close(opened)?;
        Ok(given)
    }

    fn close(&mut self, opened: usize) -> Result<()> {
        match &self.peek().kind {
            Kind::Sign(')') => {
                self.next += 1;
                Ok(())
            }
            Kind::End => Err(syntax(opened, "the bracket is not closed")),
            Kind::Sign(',') => Err(syntax(self.peek().at, "a comma stands between the arguments of a function, write 1000 for 1,000")),
            other => Err(syntax(self.peek().at, format!("an operator is missing before {}, write `*` for a product", other.told()))),
        }
    }

    fn push(&mut self, act: Act, at: usize) {
        self.steps.push(Step { act, at });
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.next]
    }
}

enum Operator {
    Infix(char, u8),
    Postfix(Act),
}
