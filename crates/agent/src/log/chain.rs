use super::{decode, digest};
use crate::{Error, Record, Result};

/// Holds lines to the chain that they are links of: each has the next number and names the hash of the one before it, the first that of the run's
/// name. So a line that was changed, left out, put in or moved is found, with its number.
///
/// The last lines can be cut off without a trace in the others; whoever keeps [`head`](Self::head) elsewhere finds that too.
///
/// ```
/// use jarre_agent::log::Chain;
///
/// let mut chain = Chain::new("run-7");
/// assert!(chain.check(b"{}").is_err());
/// assert_eq!(chain.next(), 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    run: String,
    next: u64,
    head: String,
}

impl Chain {
    /// The chain of a run before its first record.
    pub fn new(run: &str) -> Self {
        Self { run: run.to_owned(), next: 0, head: digest(run.as_bytes()) }
    }

    /// The chain of a run behind `line`, its record `seq`, which is taken as it is.
    pub(super) fn behind(run: &str, seq: u64, line: &[u8]) -> Self {
        Self { run: run.to_owned(), next: seq.saturating_add(1), head: digest(line) }
    }

    /// The run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The number of the record that comes next.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// The hash of the last record, or of the run's name.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// [`Error::Log`] with the number of the record where the line is none, of a later version, or not the next of this chain; the chain stays
    /// where it was.
    pub fn check(&mut self, line: &[u8]) -> Result<Record> {
        let record = decode(line).map_err(|bad| self.broken(bad.to_string()))?;
        if record.seq != self.next {
            return Err(self.broken(format!("record {} stands here: records are missing, or not in their order", record.seq)));
        }
        if record.previous != self.head {
            return Err(self.broken("it does not follow on the record before it: one of the two was changed"));
        }
        self.advance(line);
        Ok(record)
    }

    /// Goes behind `line`, which is known to be the next.
    pub(super) fn advance(&mut self, line: &[u8]) {
        self.next += 1;
        self.head = digest(line);
    }

    /// That the log cannot be read at the next record.
    pub(super) fn broken(&self, reason: impl Into<String>) -> Error {
        Error::Log { run: self.run.clone(), at: self.next, reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use jarre_core::Timestamp;
    use proptest::{prelude::*, sample::Index};

    use super::{
        super::line::{encode, link},
        *,
    };
    use crate::Event;

    fn lines(run: &str, count: usize) -> Vec<Vec<u8>> {
        let mut chain = Chain::new(run);
        let mut lines = Vec::new();
        for number in 0..count {
            let event = Event::Cancelled { reason: format!("line {number}") };
            let (record, line) = link(chain.next(), chain.head(), event, Timestamp::UNIX_EPOCH).unwrap();
            assert_eq!(encode(&record).unwrap(), line);
            assert_eq!(chain.check(&line).unwrap(), record);
            lines.push(line);
        }
        lines
    }

    /// The number of the first record that does not hold.
    fn broken_at(run: &str, lines: &[Vec<u8>]) -> Option<u64> {
        let mut chain = Chain::new(run);
        lines.iter().find_map(|line| match chain.check(line) {
            Ok(_) => None,
            Err(Error::Log { at, .. }) => Some(at),
            Err(other) => panic!("{other}"),
        })
    }

    #[test]
    fn the_name_of_the_run_is_part_of_the_chain() {
        let lines = lines("a", 3);
        assert_eq!((broken_at("a", &lines), broken_at("b", &lines)), (None, Some(0)));
    }

    proptest! {
        #[test]
        fn whatever_is_done_to_a_line_is_found_at_it_or_at_the_next(at: Index, place: Index, change in 0..4_u8, flip in 1..=255_u8) {
            let mut lines = lines("run", 6);
            // A change of the last line, or its loss, is what only a head that is kept elsewhere shows.
            let at = at.index(lines.len() - 1);
            match change {
                0 => {
                    let place = place.index(lines[at].len());
                    lines[at][place] ^= flip;
                }
                1 => drop(lines.remove(at)),
                2 => lines.swap(at, at + 1),
                _ => lines.insert(at, lines[at].clone()),
            }
            let found = broken_at("run", &lines).unwrap();
            prop_assert!(found == at as u64 || found == at as u64 + 1, "{found} for {at}");
        }
    }
}
