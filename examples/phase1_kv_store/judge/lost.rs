use serde::Serialize;

use crate::{
    record::Record,
    request::{Answer, Input},
};

/// How operations ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    pub(crate) writes_acknowledged: usize,
    pub(crate) writes_refused: usize,
    pub(crate) writes_unknown: usize,
    /// Of the unknown ones, those that turned out to have been done.
    pub(crate) unknown_but_done: usize,
    pub(crate) reads_answered: usize,
    pub(crate) reads_refused: usize,
    /// Places of writes that were acknowledged and are no part of what was left.
    pub(crate) lost: Vec<usize>,
}

/// Counts.
pub(crate) fn tally(record: &Record) -> Tally {
    let mut tally = Tally::default();
    for (place, operation) in record.operations.iter().enumerate() {
        match (operation.input, &operation.answer) {
            (Input::Write(value), Answer::Written) => {
                tally.writes_acknowledged += 1;
                if !record.surviving.contains(&value) {
                    tally.lost.push(place);
                }
            }
            (Input::Write(_), Answer::Refused { .. }) => tally.writes_refused += 1,
            (Input::Write(value), _) => {
                tally.writes_unknown += 1;
                tally.unknown_but_done += usize::from(record.surviving.contains(&value));
            }
            (Input::Read(_), Answer::Value { .. }) => tally.reads_answered += 1,
            (Input::Read(_), _) => tally.reads_refused += 1,
        }
    }
    tally
}
