use super::Model;

/// A list of numbers, empty at first, that only grows at its end: an order of the appends can be read off it.
#[derive(Clone, Copy, Debug)]
pub struct ListAppend;

/// What is asked of a [`ListAppend`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListInput {
    /// Put it at the end.
    Append(u64),
    /// The whole list.
    Read,
}

/// What a [`ListAppend`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListOutput {
    /// Of an append.
    Appended,
    /// Of a read.
    List(Vec<u64>),
}

impl Model for ListAppend {
    type Input = ListInput;
    type Output = ListOutput;
    type State = Vec<u64>;
    type Key = ();

    fn initial(&self) -> Vec<u64> {
        Vec::new()
    }

    fn step(&self, state: &Vec<u64>, input: &ListInput, output: Option<&ListOutput>) -> Option<Vec<u64>> {
        match (input, output) {
            (ListInput::Append(element), None | Some(ListOutput::Appended)) => Some([state.as_slice(), &[*element]].concat()),
            (ListInput::Read, None) => Some(state.clone()),
            (ListInput::Read, Some(ListOutput::List(list))) => (list == state).then(|| state.clone()),
            _ => None,
        }
    }

    fn key(&self, _: &ListInput) {}

    fn is_read(&self, input: &ListInput) -> bool {
        matches!(input, ListInput::Read)
    }
}
