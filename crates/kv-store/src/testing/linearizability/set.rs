use std::collections::BTreeSet;

use super::Model;

/// A set of numbers, empty at first.
#[derive(Clone, Copy, Debug)]
pub struct Set;

/// What is asked of a [`Set`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetInput {
    /// Put it in.
    Add(u64),
    /// Take it out.
    Remove(u64),
    /// All that is in it.
    Read,
}

/// What a [`Set`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetOutput {
    /// Of a change: whether there was anything to do.
    Changed(bool),
    /// Of a read.
    Elements(BTreeSet<u64>),
}

impl Model for Set {
    type Input = SetInput;
    type Output = SetOutput;
    type State = BTreeSet<u64>;
    type Key = ();

    fn initial(&self) -> BTreeSet<u64> {
        BTreeSet::new()
    }

    fn step(&self, state: &BTreeSet<u64>, input: &SetInput, output: Option<&SetOutput>) -> Option<BTreeSet<u64>> {
        let mut next = state.clone();
        let fits = match (input, output) {
            (SetInput::Add(element), output) => fits(next.insert(*element), output),
            (SetInput::Remove(element), output) => fits(next.remove(element), output),
            (SetInput::Read, Some(SetOutput::Elements(elements))) => elements == state,
            (SetInput::Read, output) => output.is_none(),
        };
        fits.then_some(next)
    }

    fn key(&self, _: &SetInput) {}

    fn is_read(&self, input: &SetInput) -> bool {
        matches!(input, SetInput::Read)
    }
}

fn fits(changed: bool, output: Option<&SetOutput>) -> bool {
    output.is_none_or(|output| *output == SetOutput::Changed(changed))
}
