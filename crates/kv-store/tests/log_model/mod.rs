//! A log as a map, and the steps that a log and the map take together.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use jarre_kv_store::log::{LogConfig, LogEntry, LogError, Mark, RaftLog, SimDisk};

pub(crate) const SEGMENT: u64 = 4096;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// So many entries of so many bytes, in one call.
    Append(u64, usize),
    /// A vote in the next term.
    Vote,
    /// Everything so far is committed.
    Committed,
    /// So many of the last entries go.
    Truncate(u64),
    /// So many of the first entries go; there may be fewer.
    Purge(u64),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    pub(crate) entries: BTreeMap<u64, LogEntry>,
    pub(crate) next: u64,
    pub(crate) purged: Option<u64>,
    pub(crate) vote: Option<u64>,
    /// The last commit mark that is durable for sure, and those given after it, which nobody waits for.
    pub(crate) committed: Vec<Option<u64>>,
}

impl Default for Model {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), next: 0, purged: None, vote: None, committed: vec![None] }
    }
}

impl Model {
    /// What the log may hold after a crash in `step`: for entries any number of the first ones, else all or nothing.
    pub(crate) fn outcomes(&self, step: Step) -> Vec<Model> {
        match step {
            Step::Append(count, size) => (0..=count).map(|count| self.uncertain(Step::Append(count, size))).collect(),
            step => vec![self.clone(), self.uncertain(step)],
        }
    }

    pub(crate) fn after(&self, step: Step) -> Model {
        let mut model = self.clone();
        match step {
            Step::Append(..) => {
                for entry in self.new_entries(step) {
                    model.next = entry.index + 1;
                    model.entries.insert(entry.index, entry);
                }
            }
            Step::Vote => model.vote = Some(self.term() + 1),
            Step::Committed => {
                model.committed.push(Some(self.next));
                return model;
            }
            Step::Truncate(count) => {
                model.next = self.truncation(count);
                model.entries.retain(|&index, _| index < model.next);
            }
            Step::Purge(count) => {
                let purged = self.purge(count);
                model.purged = Some(purged);
                model.entries.retain(|&index, _| index > purged);
                model.next = self.next.max(purged + 1);
            }
        }
        model.committed.drain(..self.committed.len() - 1);
        model
    }

    /// [`after`](Self::after), where the step may have reached the disk without being acknowledged.
    fn uncertain(&self, step: Step) -> Model {
        Model { committed: self.committed.clone(), ..self.after(step) }
    }

    /// Takes the step on a log; says what was acknowledged.
    pub(crate) fn step(&self, step: Step, log: &RaftLog) -> Result<(), LogError> {
        let outcome = Arc::new(Mutex::new(None));
        let told = outcome.clone();
        let done = move |result| *told.lock().unwrap() = Some(result);
        match step {
            Step::Append(..) => log.append(self.new_entries(step), done)?,
            Step::Vote => log.save_vote(Mark::new(0, self.term() + 1, b"vote"), done)?,
            Step::Committed => return log.save_committed(Mark::new(self.next, 0, b"")),
            Step::Truncate(count) => log.truncate(self.truncation(count), done)?,
            Step::Purge(count) => log.purge(Mark::new(self.purge(count), 0, b"purged"), done)?,
        }
        let outcome = outcome.lock().unwrap().take();
        outcome.expect("a log without a thread answers before it returns")
    }

    /// Holds the log to one of `models`; commit marks may lag, because nobody waits for them.
    pub(crate) fn assert_among(models: &[Model], log: &RaftLog, why: &str) -> Model {
        let found = Model::of(log);
        let fits = |model: &&Model| {
            let has_mark = model.committed.contains(&found.committed[0]);
            has_mark && Model { committed: found.committed.clone(), ..(*model).clone() } == found
        };
        let fit = models.iter().find(fits);
        assert!(
            fit.is_some(),
            "{why}: found {}\nexpected one of {:?}",
            found.sketch(),
            models.iter().map(Model::sketch).collect::<Vec<_>>()
        );
        found
    }

    fn of(log: &RaftLog) -> Model {
        let state = log.state().unwrap();
        let entries = log.read(0..u64::MAX, usize::MAX).unwrap();
        assert_eq!(entries.len() as u64, state.next - state.first, "the state counts what is there");
        Model {
            next: state.next,
            entries: entries.into_iter().map(|entry| (entry.index, entry)).collect(),
            purged: state.purged.map(|mark| mark.index),
            vote: state.vote.map(|mark| mark.term),
            committed: vec![state.committed.map(|mark| mark.index)],
        }
    }

    fn sketch(&self) -> String {
        let Self { entries, next, purged, vote, committed } = self;
        let terms: Vec<_> = entries.values().map(|entry| (entry.index, entry.term, entry.payload.len())).collect();
        format!("{terms:?} next {next} purged {purged:?} vote {vote:?} committed among {committed:?}")
    }

    fn term(&self) -> u64 {
        self.vote.unwrap_or(1)
    }

    fn new_entries(&self, step: Step) -> Vec<LogEntry> {
        let Step::Append(count, size) = step else { return Vec::new() };
        let entry = |index: u64| LogEntry::new(index, self.term(), &vec![(index * 7 + self.term()) as u8 | 1; size]);
        (self.next..self.next + count).map(entry).collect()
    }

    fn truncation(&self, count: u64) -> u64 {
        self.next - count.min(self.entries.len() as u64)
    }

    fn purge(&self, count: u64) -> u64 {
        self.purged.map_or(0, |purged| purged + 1) + count
    }
}

pub(crate) fn config() -> LogConfig {
    LogConfig::new(1, 2).with_salt(3).with_segment_bytes(SEGMENT).with_cache_bytes(600)
}

pub(crate) fn open(disk: &SimDisk) -> Result<RaftLog, LogError> {
    Ok(RaftLog::open_inline(Arc::new(disk.clone()), config())?.0)
}

/// Opens the log and takes steps until one fails. Says what was acknowledged, and what may be there besides.
pub(crate) fn run(disk: &SimDisk, script: &[Step]) -> (Model, Vec<Model>) {
    let mut model = Model::default();
    let Ok(log) = open(disk) else { return (model.clone(), vec![model]) };
    for &step in script {
        if model.step(step, &log).is_err() {
            let outcomes = model.outcomes(step);
            return (model, outcomes);
        }
        model = model.after(step);
    }
    (model.clone(), vec![model])
}

/// A sequence of bits that a seed stands for.
pub(crate) fn coin(mut seed: u64) -> impl FnMut() -> bool {
    move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 63 == 1
    }
}
