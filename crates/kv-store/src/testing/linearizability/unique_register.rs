use std::collections::{BTreeMap, btree_map::Entry};

use super::{Model, Operation, Outcome, Register, RegisterInput, RegisterOutput};

/// A [`Register`] to which no value is put twice: a value names its write, so some faults show without a search.
#[derive(Clone, Copy, Debug)]
pub struct UniqueRegister;

/// What [`UniqueRegister::scan`] finds. Numbers are places in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Anomaly {
    /// The workload put a value twice, so this is no history of a unique register.
    NotUnique {
        /// Who put it first.
        first: usize,
        /// Who put it again.
        second: usize,
    },
    /// A read saw a value that nobody ever put.
    Phantom {
        /// The read.
        read: usize,
    },
    /// A read saw the value of an operation that had no effect for sure.
    FromFailed {
        /// The read.
        read: usize,
        /// The operation that failed.
        put: usize,
    },
    /// A read returned a value before anybody asked for it to be put.
    FromFuture {
        /// The read.
        read: usize,
        /// The operation that put it.
        put: usize,
    },
}

impl UniqueRegister {
    /// Looks at each read and the one operation that could have put its value: linear in the history, and no proof that it is linearizable.
    ///
    /// # Errors
    /// The first anomaly.
    pub fn scan(history: &[Operation<RegisterInput, RegisterOutput>]) -> Result<(), Anomaly> {
        let mut puts = BTreeMap::new();
        for (second, operation) in history.iter().enumerate() {
            let Some(value) = put(operation) else { continue };
            match puts.entry(value) {
                Entry::Occupied(first) => return Err(Anomaly::NotUnique { first: *first.get(), second }),
                Entry::Vacant(free) => drop(free.insert(second)),
            }
        }
        history.iter().enumerate().try_for_each(|(read, operation)| scan_read(history, &puts, read, operation))
    }
}

impl Model for UniqueRegister {
    type Input = RegisterInput;
    type Output = RegisterOutput;
    type State = Option<u64>;
    type Key = ();

    fn initial(&self) -> Option<u64> {
        Register.initial()
    }

    fn step(&self, state: &Option<u64>, input: &RegisterInput, output: Option<&RegisterOutput>) -> Option<Option<u64>> {
        Register.step(state, input, output)
    }

    fn key(&self, _: &RegisterInput) {}

    fn is_read(&self, input: &RegisterInput) -> bool {
        Register.is_read(input)
    }
}

/// The value that an operation may have put.
fn put(operation: &Operation<RegisterInput, RegisterOutput>) -> Option<u64> {
    match operation.input {
        RegisterInput::Read => None,
        RegisterInput::Write(value) | RegisterInput::Cas { new: value, .. } => Some(value),
    }
}

fn scan_read(
    history: &[Operation<RegisterInput, RegisterOutput>],
    puts: &BTreeMap<u64, usize>,
    read: usize,
    operation: &Operation<RegisterInput, RegisterOutput>,
) -> Result<(), Anomaly> {
    let Outcome::Returned { at, output: RegisterOutput::Value(Some(value)) } = &operation.outcome else { return Ok(()) };
    let Some(&put) = puts.get(value) else { return Err(Anomaly::Phantom { read }) };
    let source = &history[put];
    match source.outcome {
        Outcome::Failed | Outcome::Returned { output: RegisterOutput::Exchanged(false), .. } => Err(Anomaly::FromFailed { read, put }),
        _ if *at < source.call => Err(Anomaly::FromFuture { read, put }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::linearizability::{
        History,
        RegisterInput::{Cas, Read, Write},
        RegisterOutput::{Exchanged, Value, Written},
    };

    fn then<I: Clone, O: Clone>(calls: &[(I, Option<O>)]) -> Vec<Operation<I, O>> {
        let mut history = History::new();
        for (input, output) in calls {
            let id = history.call(0, input.clone());
            match output {
                Some(output) => history.returned(id, output.clone()),
                None => history.failed(id),
            }
        }
        history.operations().to_vec()
    }

    #[test]
    fn a_value_without_a_source_is_named() {
        let scan = |calls: &[_]| UniqueRegister::scan(&then(calls));
        assert_eq!(scan(&[(Write(1), Some(Written)), (Read, Some(Value(Some(1))))]), Ok(()));
        assert_eq!(scan(&[(Write(1), Some(Written)), (Read, Some(Value(Some(2))))]), Err(Anomaly::Phantom { read: 1 }));
        assert_eq!(scan(&[(Write(1), None), (Read, Some(Value(Some(1))))]), Err(Anomaly::FromFailed { read: 1, put: 0 }));
        let refused = Cas { expected: Some(9), new: 1 };
        assert_eq!(scan(&[(refused, Some(Exchanged(false))), (Read, Some(Value(Some(1))))]), Err(Anomaly::FromFailed { read: 1, put: 0 }));
        assert_eq!(scan(&[(Read, Some(Value(Some(1)))), (Write(1), Some(Written))]), Err(Anomaly::FromFuture { read: 0, put: 1 }));
        assert_eq!(scan(&[(Write(1), Some(Written)), (Write(1), Some(Written))]), Err(Anomaly::NotUnique { first: 0, second: 1 }));
    }
}
