use super::Model;

/// One value, empty at first, that is read, written, and exchanged where it is as expected.
#[derive(Clone, Copy, Debug)]
pub struct Register;

/// What is asked of a [`Register`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterInput {
    /// What is the value?
    Read,
    /// Put this value.
    Write(u64),
    /// Put `new` where the value is `expected`.
    Cas {
        /// `None` is an empty register.
        expected: Option<u64>,
        /// What to put.
        new: u64,
    },
}

/// What a [`Register`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterOutput {
    /// Of a read.
    Value(Option<u64>),
    /// Of a write.
    Written,
    /// Whether the value was as expected, and was exchanged.
    Exchanged(bool),
}

impl Model for Register {
    type Input = RegisterInput;
    type Output = RegisterOutput;
    type State = Option<u64>;
    type Key = ();

    fn initial(&self) -> Option<u64> {
        None
    }

    fn step(&self, state: &Option<u64>, input: &RegisterInput, output: Option<&RegisterOutput>) -> Option<Option<u64>> {
        let (next, answer) = match input {
            RegisterInput::Read => (*state, RegisterOutput::Value(*state)),
            RegisterInput::Write(value) => (Some(*value), RegisterOutput::Written),
            RegisterInput::Cas { expected, new } if expected == state => (Some(*new), RegisterOutput::Exchanged(true)),
            RegisterInput::Cas { .. } => (*state, RegisterOutput::Exchanged(false)),
        };
        output.is_none_or(|output| *output == answer).then_some(next)
    }

    fn key(&self, _: &RegisterInput) {}

    fn is_read(&self, input: &RegisterInput) -> bool {
        matches!(input, RegisterInput::Read)
    }
}
