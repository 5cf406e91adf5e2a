use std::collections::BTreeSet;

use jarre_kv_store::testing::linearizability::{
    Operation as Entry, Outcome, PerKey, Register, RegisterInput, RegisterOutput, Verdict as Found, check,
};
use serde::Serialize;

use crate::{
    record::{Operation, Record},
    request::{Answer, Input, Value},
};

/// What the checker says of the operations that claim to be linearizable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// One copy of the data could have answered so.
    Linearizable,
    /// None could.
    Illegal {
        /// Places in the record: as few operations as still contradict each other. Leaving any of them out would leave nothing to object to,
        /// or a value without its write.
        minimal: Vec<usize>,
    },
    /// The budget was used up.
    Undecided,
}

type History = Vec<(usize, Entry<(u8, RegisterInput), RegisterOutput>)>;

/// Judges a record within a budget of the checker's steps. Stale reads promise nothing and are left out.
pub(crate) fn verdict(record: &Record, budget: u64) -> Verdict {
    let history = history(record);
    match judge(&history, budget) {
        Found::Ok => Verdict::Linearizable,
        Found::Unknown => Verdict::Undecided,
        Found::Illegal(found) => {
            let (key, ()) = found.key;
            let culprit = match history[found.culprit].1.outcome {
                Outcome::Returned { at, .. } => at,
                _ => u64::MAX,
            };
            let of_key = history.into_iter().filter(|(_, entry)| entry.input.0 == key && entry.call <= culprit).collect();
            Verdict::Illegal { minimal: shrunk(of_key, budget) }
        }
    }
}

fn history(record: &Record) -> History {
    let claims = record.operations.iter().enumerate().filter(|(_, operation)| !operation.is_stale_read());
    claims.map(|(place, operation)| (place, entry(operation))).collect()
}

fn entry(operation: &Operation) -> Entry<(u8, RegisterInput), RegisterOutput> {
    let input = match operation.input {
        Input::Read(_) => RegisterInput::Read,
        Input::Write(value) => RegisterInput::Write(value.0),
    };
    let returned = |output| Outcome::Returned { at: operation.end.expect("what was answered has ended"), output };
    let outcome = match &operation.answer {
        Answer::Value { value, .. } => returned(RegisterOutput::Value(value.map(|Value(value)| value))),
        Answer::Written => returned(RegisterOutput::Written),
        Answer::Refused { .. } => Outcome::Failed,
        Answer::Unknown => Outcome::Unknown,
    };
    Entry { process: operation.client, call: operation.call, input: (operation.key, input), outcome }
}

fn judge(history: &History, budget: u64) -> Found<(u8, ()), Option<u64>> {
    let entries: Vec<_> = history.iter().map(|(_, entry)| entry.clone()).collect();
    check(&PerKey::<u8, _>::new(Register), &entries, budget)
}

/// Leaves out what the contradiction does not need: halves, then quarters, down to single operations, until none can go (as Zeller and
/// Hildebrandt's delta debugging does). A read can go always, and a write where no read that stays saw its value: a history that can be
/// ordered stays one without it, so that what is left contradicts the whole history too.
fn shrunk(mut history: History, budget: u64) -> Vec<usize> {
    let mut piece = history.len().div_ceil(2).max(1);
    loop {
        let before = history.len();
        let mut start = 0;
        while start < history.len() {
            match without(&history, start..(start + piece).min(history.len())) {
                Some(less) if matches!(judge(&less, budget), Found::Illegal(_)) => history = less,
                _ => start += piece,
            }
        }
        if piece == 1 && history.len() == before {
            return history.into_iter().map(|(place, _)| place).collect();
        }
        piece = (piece / 2).max(1);
    }
}

/// The history without a stretch, apart from the writes that others saw; `None` where nothing of it can go.
fn without(history: &History, stretch: std::ops::Range<usize>) -> Option<History> {
    let outside = |place: &usize| !stretch.contains(place);
    let seen: BTreeSet<u64> =
        history.iter().enumerate().filter(|(place, _)| outside(place)).filter_map(|(_, (_, entry))| saw(entry)).collect();
    let stays = |place: usize, entry: &Entry<(u8, RegisterInput), RegisterOutput>| {
        outside(&place) || matches!(entry.input.1, RegisterInput::Write(value) if seen.contains(&value))
    };
    let less: History =
        history.iter().enumerate().filter(|(place, (_, entry))| stays(*place, entry)).map(|(_, kept)| kept.clone()).collect();
    (less.len() < history.len()).then_some(less)
}

fn saw(entry: &Entry<(u8, RegisterInput), RegisterOutput>) -> Option<u64> {
    match &entry.outcome {
        Outcome::Returned { output: RegisterOutput::Value(value), .. } => *value,
        _ => None,
    }
}
