use crate::{
    Answer, Error, Result,
    error::Fault,
    number::Number,
    parse::{Act, Step, parse},
    power, token,
};

/// The longest expression, in bytes.
pub const MAX_BYTES: usize = 4096;
/// The deepest nesting of brackets, signs and powers.
pub const MAX_DEPTH: usize = 100;
/// The largest numerator and denominator that are kept exactly, in bits; beyond, numbers are doubles.
pub const MAX_BITS: usize = 4096;
/// The most work, in products of two 32-bit numbers, approximately.
pub const MAX_WORK: usize = 50_000_000;

/// The value of `expression`.
///
/// # Errors
/// Where it is not an expression, asks for more than the limits allow, or has no value: the error says at which character.
pub fn evaluate(expression: &str) -> Result<Answer> {
    if expression.len() > MAX_BYTES {
        return Err(Error::Limit { what: "bytes", limit: MAX_BYTES });
    }
    let steps = parse(token::tokens(expression)?)?;
    let mut machine = Machine { stack: Vec::new(), work: 0 };
    for step in steps {
        machine.step(step)?;
    }
    // Steps that were parsed leave one number.
    machine.stack.pop().map(Answer::new).ok_or(Error::Limit { what: "results", limit: 1 })
}

struct Machine {
    stack: Vec<Number>,
    work: usize,
}

impl Machine {
    fn step(&mut self, step: Step) -> Result<()> {
        let Step { act, at } = step;
        let result = match act {
            Act::Push(number) => Ok(number),
            Act::Negate => self.unary(|number| Ok(number.negated()))?,
            Act::Percent => self.unary(|number| number.div(&Number::from(100)))?,
            Act::Factorial => self.unary(|number| power::factorial(&number))?,
            Act::Binary(sign) => self.over(2, |operands| binary(sign, &operands[0], &operands[1]))?,
            Act::Call(function, given) => self.over(given, function.apply)?,
        };
        self.stack.push(result.map_err(|fault| fault.at(at))?);
        Ok(())
    }

    fn unary(&mut self, apply: impl FnOnce(Number) -> Result<Number, Fault>) -> Result<Result<Number, Fault>> {
        let operand = self.stack.pop().expect("an operator that was parsed has its operand");
        self.charge(operand.limbs())?;
        Ok(apply(operand))
    }

    fn over(&mut self, given: usize, apply: impl FnOnce(&[Number]) -> Result<Number, Fault>) -> Result<Result<Number, Fault>> {
        let operands = self.stack.split_off(self.stack.len() - given);
        self.charge(operands.iter().map(Number::limbs).sum())?;
        Ok(apply(&operands))
    }

    /// A product and the reduction after it take some ten times the square of what they work on.
    fn charge(&mut self, limbs: usize) -> Result<()> {
        self.work = self.work.saturating_add(limbs.saturating_mul(limbs).saturating_mul(10));
        if self.work > MAX_WORK { Err(Error::Limit { what: "units of work", limit: MAX_WORK }) } else { Ok(()) }
    }
}

fn binary(sign: char, left: &Number, right: &Number) -> Result<Number, Fault> {
    match sign {
        '+' => left.add(right),
        '-' => left.add(&right.clone().negated()),
        '*' => left.mul(right),
        '/' => left.div(right),
        '%' => left.modulo(right),
        _ => power::power(left, right),
    }
}
