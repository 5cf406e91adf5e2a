use std::time::Duration;

use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use super::Context;
use crate::{
    Compare, Error, Event, KeyRange, LeaseId, Op, OpResult, Operator, RangeRequest, Refusal, Revision, Target, Txn, TxnOutcome,
    WatchRequest, testing::model::Model,
};

/// Scripts that are run, and the most steps of one.
const SCRIPTS: u32 = 40;
const STEPS: usize = 40;

#[derive(Clone, Debug)]
enum Step {
    Txn { compares: Vec<Comparing>, then: Vec<Doing>, otherwise: Vec<Doing> },
    Range { from: u8, to: u8, limit: Option<usize>, reverse: bool, back: Option<u8> },
    Grant,
    Revoke(u8),
    Compact(u8),
}

#[derive(Clone, Debug)]
struct Comparing {
    key: u8,
    operator: u8,
    property: u8,
    with: u8,
}

#[derive(Clone, Debug)]
enum Doing {
    Put { key: u8, value: u8, lease: Option<u8>, prev: bool },
    Delete { from: u8, to: u8, prev: bool },
    Get { from: u8, to: u8, limit: Option<usize>, reverse: bool },
}

/// Runs scripts of random steps and compares every answer, and in the end all changes as a watch tells them. Shows the shortest script that
/// fails.
pub(super) async fn against_the_model(context: &Context<'_>) {
    let mut runner = TestRunner::deterministic();
    let script = vec(step(), 1..STEPS);
    for _ in 0..SCRIPTS {
        let mut tree = script.new_tree(&mut runner).expect("scripts are made without conditions");
        let Err(mut failure) = run(context, &tree.current()).await else { continue };
        let mut failing = tree.current();
        let mut simpler = tree.simplify();
        for _ in 0..Config::default().max_shrink_iters.min(500) {
            if !simpler {
                break;
            }
            simpler = match run(context, &tree.current()).await {
                Err(again) => {
                    (failure, failing) = (again, tree.current());
                    tree.simplify()
                }
                Ok(()) => tree.complicate(),
            };
        }
        panic!("{failure}\nafter {failing:#?}");
    }
}

fn step() -> impl Strategy<Value = Step> {
    let txn = (vec(comparing(), 0..3), vec(doing(), 0..4), vec(doing(), 0..3));
    let range = (0..8_u8, 0..9_u8, proptest::option::of(0..4_usize), any::<bool>(), proptest::option::of(any::<u8>()));
    prop_oneof![
        8 => txn.prop_map(|(compares, then, otherwise)| Step::Txn { compares, then, otherwise }),
        5 => range.prop_map(|(from, to, limit, reverse, back)| Step::Range { from, to, limit, reverse, back }),
        1 => Just(Step::Grant),
        1 => any::<u8>().prop_map(Step::Revoke),
        1 => any::<u8>().prop_map(Step::Compact),
    ]
}

fn comparing() -> impl Strategy<Value = Comparing> {
    (0..8_u8, 0..4_u8, 0..5_u8, 0..4_u8).prop_map(|(key, operator, property, with)| Comparing { key, operator, property, with })
}

fn doing() -> impl Strategy<Value = Doing> {
    let put = (0..8_u8, 0..4_u8, proptest::option::of(any::<u8>()), any::<bool>());
    let get = (0..8_u8, 0..9_u8, proptest::option::of(0..4_usize), any::<bool>());
    prop_oneof![
        5 => put.prop_map(|(key, value, lease, prev)| Doing::Put { key, value, lease, prev }),
        2 => (0..8_u8, 0..9_u8, any::<bool>()).prop_map(|(from, to, prev)| Doing::Delete { from, to, prev }),
        2 => get.prop_map(|(from, to, limit, reverse)| Doing::Get { from, to, limit, reverse }),
    ]
}

/// A script that is under way.
struct Run<'a> {
    context: &'a Context<'a>,
    model: Model,
    leases: Vec<LeaseId>,
    compacted: Option<Revision>,
}

async fn run(context: &Context<'_>, script: &[Step]) -> Result<(), String> {
    context.store.delete_range(context.all()).await.map_err(|error| error.to_string())?;
    let mut run = Run { context, model: Model::new(context.revision().await), leases: Vec::new(), compacted: None };
    for (number, step) in script.iter().enumerate() {
        run.step(step).await.map_err(|failure| format!("step {number}: {failure}"))?;
    }
    run.watch().await?;
    for lease in run.leases {
        context.store.lease_revoke(lease).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

impl Run<'_> {
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Txn { compares, then, otherwise } => {
                let mut txn = Txn::new();
                txn.compares = compares.iter().map(|compare| self.compare(compare)).collect();
                (txn.then, txn.otherwise) = (self.ops(then), self.ops(otherwise));
                self.txn(txn).await
            }
            Step::Range { from, to, limit, reverse, back } => self.range(self.keys(*from, *to), *limit, *reverse, *back).await,
            Step::Grant => {
                self.leases.push(self.context.store.lease_grant(Duration::from_secs(100_000)).await.map_err(|error| error.to_string())?);
                Ok(())
            }
            Step::Revoke(_) if self.leases.is_empty() => Ok(()),
            Step::Revoke(which) => {
                let lease = self.leases.remove(usize::from(*which) % self.leases.len());
                self.model.revoke(lease);
                self.context.store.lease_revoke(lease).await.map_err(|error| error.to_string())
            }
            Step::Compact(back) => self.compact(self.back(*back)).await,
        }
    }

    async fn txn(&mut self, txn: Txn) -> Result<(), String> {
        match self.context.store.txn(txn.clone()).await {
            Ok(outcome) => equal("the outcome", &plain(outcome), &self.model.txn(&txn)),
            // It changes a key twice, which another check tries.
            Err(Error::Invalid(_)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn range(&self, range: KeyRange, limit: Option<usize>, reverse: bool, back: Option<u8>) -> Result<(), String> {
        let mut request = RangeRequest::new(range);
        (request.limit, request.reverse) = (limit, reverse);
        request.revision = back.map(|back| self.back(back));
        let found = self.context.store.range(request.clone()).await;
        if request.revision < self.compacted && request.revision.is_some() {
            let refused = matches!(found, Err(Error::Refused(Refusal::Compacted { .. })));
            return if refused { Ok(()) } else { Err(format!("compacted, and yet {found:?}")) };
        }
        equal("the page", &found.map_err(|error| error.to_string())?.entries, &self.model.range(&request))
    }

    async fn compact(&mut self, at: Revision) -> Result<(), String> {
        match self.context.store.compact(at).await {
            Ok(()) => self.compacted = self.compacted.max(Some(at)),
            Err(Error::Refused(Refusal::Compacted { at: before })) if at <= before => {}
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    /// All changes that were not compacted, as a watch tells them.
    async fn watch(&self) -> Result<(), String> {
        let first = self.compacted.unwrap_or(self.model.first()).max(self.model.first()).next();
        let request = WatchRequest::new(self.context.all()).from(first).with_prev();
        let mut watch = self.context.store.watch(request).await.map_err(|error| error.to_string())?;
        for revision in (first.0..=self.model.revision().0).map(Revision) {
            let batch = watch.next().await.ok_or("the watch ended")?.map_err(|error| error.to_string())?;
            let mut told: Vec<_> = batch.events.iter().map(told).collect();
            told.sort_by(|a, b| a.0.cmp(&b.0));
            equal("the changes", &(batch.revision, told), &(revision, self.model.changes(revision)))?;
        }
        Ok(())
    }

    fn compare(&self, Comparing { key, operator, property, with }: &Comparing) -> Compare {
        let revision = self.back(*with);
        let target = match property {
            0 => Target::Value(vec![*with]),
            1 => Target::Version(u64::from(*with)),
            2 => Target::Created(revision),
            3 => Target::Modified(revision),
            _ => Target::Lease(self.leases.first().copied().filter(|_| *with > 1)),
        };
        let operators = [Operator::Equal, Operator::NotEqual, Operator::Less, Operator::Greater];
        // Only whether leases are the same has a meaning.
        let operator = operators[usize::from(*operator) % if *property > 3 { 2 } else { 4 }];
        Compare::new(self.key(*key), operator, target)
    }

    fn ops(&self, doing: &[Doing]) -> Vec<Op> {
        let op = |doing: &Doing| match *doing {
            Doing::Put { key, value, lease, prev } => {
                let lease = lease.filter(|_| !self.leases.is_empty()).map(|which| self.leases[usize::from(which) % self.leases.len()]);
                Op::Put { key: self.key(key), value: vec![value], lease, prev }
            }
            Doing::Delete { from, to, prev } => Op::Delete { range: self.keys(from, to), prev },
            Doing::Get { from, to, limit, reverse } => Op::Get { range: self.keys(from, to), limit, reverse },
        };
        doing.iter().map(op).collect()
    }

    /// Keys that begin with one another, and with bytes at both ends.
    fn key(&self, number: u8) -> Vec<u8> {
        self.context.key([&b""[..], b"\0", b"a", b"a\0", b"a\x01", b"aa", b"b", b"\xff"][usize::from(number)])
    }

    fn keys(&self, from: u8, to: u8) -> KeyRange {
        let end = if to < 8 { Some(self.key(to)) } else { self.context.all().end };
        KeyRange { start: self.key(from), end }
    }

    /// Some revision between the first and the last.
    fn back(&self, steps: u8) -> Revision {
        let (first, last) = (self.model.first().0, self.model.revision().0);
        Revision(last - u64::from(steps) % (last - first + 1))
    }
}

/// Where pages are cut and where they were read is not the model's business.
fn plain(mut outcome: TxnOutcome) -> TxnOutcome {
    for result in &mut outcome.results {
        if let OpResult::Get(page) = result {
            (page.revision, page.next) = (Revision::ZERO, None);
        }
    }
    outcome
}

fn told(event: &Event) -> (Vec<u8>, Option<crate::Entry>, Option<crate::Entry>) {
    match event {
        Event::Put { entry, prev } => (entry.key.clone(), Some(entry.clone()), prev.clone()),
        Event::Delete { key, prev } => (key.clone(), None, prev.clone()),
    }
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found:#?}, where the model has {expected:#?}")) }
}
